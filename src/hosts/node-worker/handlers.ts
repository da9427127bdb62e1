import type { AddEntry, AddSource, NodeEvent, NodeService, Transfer } from '../../contract/node-api.ts'
import { parseParams } from '../../contract/node-params.ts'
import type { NodeMethods, WireAddSource, WireContent } from '../../contract/node-rpc.ts'
import type { CallContext, RpcHandler } from '../../rpc/types.ts'
import { PocketError } from '../../shared/errors.ts'
import { eventStream } from './event-stream.ts'

type HandlerTable = { [M in keyof NodeMethods]: RpcHandler & { kind: NodeMethods[M]['kind'] } }

/** The methods of the node as a port serves them: params are parsed, then the node is asked. */
export function nodeHandlers(node: NodeService): HandlerTable {
  return {
    id: unary('id', (_params, { signal }) => node.id({ signal })),
    add: unary('add', ({ source, ...options }, context) =>
      node.add(toAddSource(source, context.bodies), {
        ...options,
        signal: context.signal,
        onProgress: context.progress,
      }),
    ),
    cat: {
      kind: 'bytes',
      handle: (params, { signal }) => {
        const { path, ...range } = parseParams.cat(params)
        return node.cat(path, { ...range, signal })
      },
    },
    ls: { kind: 'items', handle: (params, { signal }) => node.ls(parseParams.ls(params).path, { signal }) },
    stat: unary('stat', ({ path }, { signal }) => node.stat(path, { signal })),
    'pin.add': unary('pin.add', ({ path, ...options }, { signal, progress }) =>
      node.pin.add(path, { ...options, signal, onProgress: progress }),
    ),
    'pin.rm': unary('pin.rm', ({ cid }, { signal }) => node.pin.rm(cid, { signal })),
    'pin.ls': {
      kind: 'items',
      handle: (params, { signal }) => {
        parseParams['pin.ls'](params)
        return node.pin.ls({ signal })
      },
    },
    'car.import': unary('car.import', ({ source, ...options }, { bodies, signal, progress }) =>
      node.car.import(takeContent(source, new Set(bodies), bodies), { ...options, signal, onProgress: progress }),
    ),
    'car.export': {
      kind: 'bytes',
      handle: (params, { signal }) => node.car.export(parseParams['car.export'](params).path, { signal }),
    },
    'transfers.start': unary('transfers.start', (request, { signal }) => node.transfers.start(request, { signal })),
    'transfers.list': unary('transfers.list', (_params, { signal }) => node.transfers.list({ signal })),
    'transfers.get': unary('transfers.get', ({ id }, { signal }) => node.transfers.get(id, { signal })),
    'transfers.pause': unary('transfers.pause', ({ id }, { signal }) => node.transfers.pause(id, { signal })),
    'transfers.resume': unary('transfers.resume', ({ id }, { signal }) => node.transfers.resume(id, { signal })),
    'transfers.cancel': unary('transfers.cancel', ({ id }, { signal }) => node.transfers.cancel(id, { signal })),
    'transfers.retry': unary('transfers.retry', ({ id }, { signal }) => node.transfers.retry(id, { signal })),
    'transfers.watch': {
      kind: 'items',
      handle: (params, { signal }): AsyncIterable<Transfer> => {
        parseParams['transfers.watch'](params)
        return eventStream(
          (listener) => node.transfers.watch(listener),
          ({ id }) => id,
          signal,
        )
      },
    },
    'repo.stat': unary('repo.stat', (_params, { signal }) => node.repo.stat({ signal })),
    'repo.gc': unary('repo.gc', (_params, { signal, progress }) => node.repo.gc({ signal, onProgress: progress })),
    'repo.verify': unary('repo.verify', (params, { signal, progress }) =>
      node.repo.verify({ ...params, signal, onProgress: progress }),
    ),
    'profile.get': unary('profile.get', (_params, { signal }) => node.profile.get({ signal })),
    'profile.set': unary('profile.set', ({ choice }, { signal }) => node.profile.set(choice, { signal })),
    'data.usage': unary('data.usage', (_params, { signal }) => node.data.usage({ signal })),
    'data.setCaps': unary('data.setCaps', (caps, { signal }) => node.data.setCaps(caps, { signal })),
    dial: unary('dial', ({ target }, { signal }) => node.dial(target, { signal })),
    hangUp: unary('hangUp', ({ peerId }, { signal }) => node.hangUp(peerId, { signal })),
    peers: unary('peers', (_params, { signal }) => node.peers({ signal })),
    share: unary('share', ({ cid, ...options }, { signal }) => node.share(cid, { ...options, signal })),
    open: unary('open', ({ url }, { signal }) => node.open(url, { signal })),
    setRelays: unary('setRelays', ({ multiaddrs }, { signal }) => node.setRelays(multiaddrs, { signal })),
    status: unary('status', (_params, { signal }) => node.status({ signal })),
    watch: {
      kind: 'items',
      handle: (params, { signal }): AsyncIterable<NodeEvent> => {
        parseParams.watch(params)
        return eventStream(
          (listener) => node.watch(listener),
          ({ type }) => type,
          signal,
        )
      },
    },
  }
}

function unary<M extends keyof NodeMethods>(
  method: M,
  handle: (params: NodeMethods[M]['params'], context: CallContext) => Promise<unknown>,
): RpcHandler & { kind: 'unary' } {
  return { kind: 'unary', handle: async (params, context) => handle(parseParams[method](params), context) }
}

function toAddSource(source: WireAddSource, bodies: ReadableStream<Uint8Array>[]): AddSource {
  const unused = new Set(bodies)
  const resolve = (content: WireContent): AddEntry['content'] => takeContent(content, unused, bodies)
  return source.kind === 'single'
    ? resolve(source.content)
    : source.entries.map(({ path, content }) => ({ path, content: resolve(content) }))
}

/** Each body once. */
function takeContent(
  content: WireContent,
  unused: Set<ReadableStream<Uint8Array>>,
  bodies: ReadableStream<Uint8Array>[],
): AddEntry['content'] {
  if (content instanceof Blob || content instanceof Uint8Array) return content
  const body = bodies[content.body]
  if (body === undefined || !unused.delete(body)) {
    throw new PocketError('ERR_INVALID_ARGUMENT', undefined, { detail: { argument: 'source' } })
  }
  return body
}
