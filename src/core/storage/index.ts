export { createBlockstore } from './blockstore.ts'
export type { BlockstoreInit, BlockstoreStat, PocketBlockstore, PutOptions, StoreOptions } from './blockstore.ts'
export { createDatastore } from './datastore.ts'
export { createMemoryBlockTable, createMemoryStateTable } from './memory-tables.ts'
