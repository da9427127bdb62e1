import type { Plugin } from 'vite'

/**
 * Fails the build when a bundle holds one package twice: npm nests older versions, and a naive tree of Helia carried
 * 53 copies of uint8arrays. What is listed in `resolve.dedupe` is taken from the top level.
 */
export function oneCopy(): Plugin {
  return {
    name: 'one-copy',
    generateBundle(_options, bundle) {
      const folders = new Map<string, Set<string>>()
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue
        for (const id of output.moduleIds) {
          const found = /^(.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll('\\', '/'))
          const name = found?.[2]
          if (name === undefined) continue
          folders.set(name, (folders.get(name) ?? new Set()).add(`${found?.[1] ?? ''}${name}`))
        }
      }
      const twice = [...folders].filter(([, where]) => where.size > 1)
      if (twice.length === 0) return
      const list = twice.map(([name, where]) => `${name}:\n  ${[...where].join('\n  ')}`).join('\n')
      this.error(`These packages are in the bundle more than once. Add them to resolve.dedupe:\n${list}`)
    },
  }
}
