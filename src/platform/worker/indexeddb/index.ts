export { openBlockTable, type BlockTableOptions } from './block-table.ts'
export { openStateTable, type StateTableOptions } from './state-table.ts'
