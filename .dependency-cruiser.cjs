/**
 * Imports go one way:
 * shared ← contract ← rpc ← client ← app; contract ← core ← hosts; core/ports ← platform ← hosts; contract ← companion.
 */
const rooms = {
  shared: [],
  contract: ['shared'],
  rpc: ['contract', 'shared'],
  core: ['contract', 'shared'],
  platform: ['core/ports', 'core/storage', 'contract', 'shared', 'rpc'],
  hosts: ['core', 'platform', 'rpc', 'contract', 'shared'],
  client: ['platform/page', 'rpc', 'contract', 'shared'],
  app: ['client', 'contract', 'shared'],
  companion: ['contract', 'shared'],
}

const oneWay = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports`,
  severity: 'error',
  comment: `src/${room} may import only ${allowed.length === 0 ? 'itself' : allowed.map((name) => `src/${name}`).join(', ')}.`,
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [room, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`) },
}))

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one file, or lack a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'svelte-only-in-app',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app/' },
      to: { path: 'node_modules/svelte/' },
    },
    {
      name: 'libp2p-behind-the-port',
      severity: 'error',
      comment: 'Pages speak strings: helia and libp2p stay in core, platform and companion.',
      from: { path: '^src/(app|client|contract|rpc|shared|hosts)/' },
      to: { path: 'node_modules/(@?helia|@?libp2p|@multiformats|multiformats)(/|$)' },
    },
    {
      name: 'no-ipfs-in-pages',
      severity: 'error',
      comment: 'Formats and stores are the node’s business: a page that imports them has a second node in its bundle.',
      from: { path: '^src/(app|client|contract|rpc|shared|platform/page)/' },
      to: {
        path: 'node_modules/(@?helia|@?libp2p|@?multiformats|@ipld|ipfs-unixfs[^/]*|interface-[^/]+|blockstore-[^/]+|datastore-[^/]+)(/|$)',
      },
    },
    {
      name: 'platform-page-from-pages-only',
      severity: 'error',
      from: { path: '^src/hosts/' },
      to: { path: '^src/platform/page/' },
    },
    {
      name: 'platform-worker-from-workers-only',
      severity: 'error',
      from: { path: '^src/(app|client)/' },
      to: { path: '^src/platform/worker/' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: '^virtual:' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'browser', 'import', 'types', 'default'],
    },
  },
}
