import { createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import type { BlockBatch, BlockTable } from '../../../src/core/ports.ts'

/** A memory table that notes its batches and can be told to hold or fail the next commit. */
export function watchedTable() {
  const table = createMemoryBlockTable()
  const batches: { batch: BlockBatch; durability: string }[] = []
  let gate: Promise<void> = Promise.resolve()
  let failure: Error | undefined
  const write: BlockTable['write'] = async (batch, durability) => {
    await gate
    if (failure !== undefined) throw failure
    batches.push({ batch, durability })
    return table.write(batch, durability)
  }
  return {
    batches,
    /** Returns what opens it. */
    hold: (): (() => void) => {
      let open = () => {}
      gate = new Promise((resolve) => (open = resolve))
      return () => open()
    },
    fail: (error?: Error): void => {
      failure = error
    },
    table: new Proxy(table, {
      get(target, name) {
        if (name === 'write') return write
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    }),
  }
}
