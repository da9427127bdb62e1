import type { Blockstore } from 'interface-blockstore'
import { interfaceBlockstoreTests } from 'interface-blockstore-tests'
import { afterEach, beforeEach, describe, it } from 'vitest'

/** Runs interface-blockstore-tests, which is written for Mocha and takes its words from the global scope. */
export function runBlockstoreCompliance(create: () => Promise<Blockstore & { close(): Promise<void> }>): void {
  Object.assign(globalThis, { describe, it, beforeEach, afterEach })
  interfaceBlockstoreTests({ setup: create, teardown: (store) => store.close() })
}
