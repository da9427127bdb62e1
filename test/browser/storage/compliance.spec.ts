import { describe } from 'vitest'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { runBlockstoreCompliance } from '../../support/storage/compliance.ts'

describe('interface-blockstore, in IndexedDB', () => {
  runBlockstoreCompliance(async () => createBlockstore(await openBlockTable({ name: crypto.randomUUID() })))
})
