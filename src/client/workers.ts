import { workerName } from '../contract/host-link.ts'
import { PocketError } from '../shared/errors.ts'

/** Where a test has its own worker. */
export type WorkerUrl = string | URL | undefined

/**
 * Connects to the SharedWorker of this generation, which starts if there is none.
 * @param onError called when it cannot be loaded: no such script, or a browser without module workers
 * @throws what the browser throws where SharedWorker is missing or not allowed
 */
export function openSharedWorker(url: WorkerUrl, generation: number, onError: () => void): MessagePort {
  const name = workerName(generation)
  const worker =
    url === undefined
      ? new SharedWorker(new URL('../hosts/node-worker/index.ts', import.meta.url), { type: 'module', name })
      : new SharedWorker(url, { type: 'module', name })
  worker.addEventListener('error', onError)
  return worker.port
}

export interface DedicatedWorker {
  connect(): MessagePort
  terminate(): void
  /** Rejects with ERR_NO_HOST when the script cannot be loaded; never resolves. */
  readonly broken: Promise<never>
}

export function startDedicatedWorker(url: WorkerUrl): DedicatedWorker {
  const worker =
    url === undefined
      ? new Worker(new URL('../hosts/node-worker/index.ts', import.meta.url), { type: 'module' })
      : new Worker(url, { type: 'module' })
  const broken = new Promise<never>((_resolve, reject) => {
    // Errors thrown later in the running worker arrive here too: by then nobody listens to this promise.
    worker.addEventListener('error', (event) => {
      const cause = event.message === '' ? undefined : new Error(event.message)
      reject(new PocketError('ERR_NO_HOST', undefined, { cause }))
    })
  })
  broken.catch(() => undefined)
  return {
    connect: () => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage(undefined, [port2])
      return port1
    },
    terminate: () => worker.terminate(),
    broken,
  }
}
