import type { CarApi, PinApi, PocketNode, RepoApi } from '../contract/node-api.ts'
import { toWireContent, toWireSource } from './add-source.ts'
import type { Keeper } from './keeper.ts'
import { readBytes, readItems, readOnce, skipBytes } from './retry.ts'
import { createTransfersApi } from './transfers.ts'
import { watchNode } from './watch-node.ts'

/** The client API over whatever host serves the page. */
export function createPocketNode(keeper: Keeper, onClose: () => Promise<void>): PocketNode {
  return {
    id: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('id', undefined, pass(signal))),

    async add(source, { name, transfer, signal, onProgress } = {}) {
      const wire = toWireSource(source)
      const { rpc } = await keeper.session(signal)
      const params = { source: wire.source, ...optional('name', name), ...optional('transfer', transfer) }
      return rpc.call('add', params, { ...pass(signal), ...optional('onProgress', onProgress), bodies: wire.bodies })
    },

    cat: (path, { offset = 0, length, signal } = {}) =>
      readBytes(keeper, signal, { offset, length }, (rpc, range) =>
        rpc.bytes('cat', { path, offset: range.offset, ...optional('length', range.length) }, pass(signal)),
      ),

    ls: (path, { signal } = {}) => readItems(keeper, signal, (rpc) => rpc.items('ls', { path }, pass(signal))),

    stat: (path, { signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('stat', { path }, pass(signal))),

    pin: createPinApi(keeper),

    car: createCarApi(keeper),

    transfers: createTransfersApi(keeper),
    repo: createRepoApi(keeper),
    profile: {
      get: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('profile.get', undefined, pass(signal))),
      set: (choice, { signal } = {}) =>
        readOnce(keeper, signal, (rpc) => rpc.call('profile.set', { choice }, pass(signal))),
    },
    data: {
      usage: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('data.usage', undefined, pass(signal))),
      setCaps: (caps, { signal } = {}) =>
        readOnce(keeper, signal, (rpc) => rpc.call('data.setCaps', caps, pass(signal))),
    },

    async dial(target, { signal } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call('dial', { target }, pass(signal))
    },

    async hangUp(peerId, { signal } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call('hangUp', { peerId }, pass(signal))
    },

    peers: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('peers', undefined, pass(signal))),

    share: (cid, { name, size, appUrl = `${globalThis.origin}/`, signal } = {}) => {
      const params = { cid, appUrl, ...optional('name', name), ...optional('size', size) }
      return readOnce(keeper, signal, (rpc) => rpc.call('share', params, pass(signal)))
    },

    open: (url, { signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('open', { url }, pass(signal))),

    async setRelays(multiaddrs, { signal } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call('setRelays', { multiaddrs }, pass(signal))
    },

    status: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('status', undefined, pass(signal))),

    watch: (listener) => watchNode(keeper, listener),

    close: onClose,
  }
}

function createCarApi(keeper: Keeper): CarApi {
  return {
    async import(content, { name, signal, onProgress } = {}) {
      const bodies: ReadableStream<Uint8Array>[] = []
      const source = toWireContent(content, bodies)
      const { rpc } = await keeper.session(signal)
      return rpc.call(
        'car.import',
        { source, ...optional('name', name) },
        { ...pass(signal), ...optional('onProgress', onProgress), bodies },
      )
    },
    // The same DAG gives the same bytes: it goes on at the next host.
    export: (path, { signal } = {}) =>
      readBytes(keeper, signal, { offset: 0, length: undefined }, (rpc, { offset }) =>
        skipBytes(rpc.bytes('car.export', { path }, pass(signal)), offset),
      ),
  }
}

function createPinApi(keeper: Keeper): PinApi {
  return {
    async add(path, { name, transfer, from, signal, onProgress } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call(
        'pin.add',
        { path, ...optional('name', name), ...optional('transfer', transfer), ...optional('from', from) },
        { ...pass(signal), ...optional('onProgress', onProgress) },
      )
    },
    async rm(cid, { signal } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call('pin.rm', { cid }, pass(signal))
    },
    ls: ({ signal } = {}) => readItems(keeper, signal, (rpc) => rpc.items('pin.ls', undefined, pass(signal))),
  }
}

function createRepoApi(keeper: Keeper): RepoApi {
  return {
    stat: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('repo.stat', undefined, pass(signal))),
    async gc({ signal, onProgress } = {}) {
      const { rpc } = await keeper.session(signal)
      return rpc.call('repo.gc', undefined, { ...pass(signal), ...optional('onProgress', onProgress) })
    },
    async verify({ repair, signal, onProgress } = {}) {
      const { rpc } = await keeper.session(signal)
      const params = optional('repair', repair)
      return rpc.call('repo.verify', params, { ...pass(signal), ...optional('onProgress', onProgress) })
    },
  }
}

function pass(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return optional('signal', signal)
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>)
}
