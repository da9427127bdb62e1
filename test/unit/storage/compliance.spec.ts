import { describe } from 'vitest'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { runBlockstoreCompliance } from '../../support/storage/compliance.ts'

describe('interface-blockstore, in memory', () => {
  runBlockstoreCompliance(() => createBlockstore(createMemoryBlockTable()))
})
