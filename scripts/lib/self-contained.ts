import type { Plugin } from 'vite'

/**
 * Fails the build when a lazy part of the worker imports another file. A worker that runs while the app is updated loads
 * its lazy parts from the new build: under the same name, and free of anything whose insides may have changed.
 */
export function selfContained(): Plugin {
  return {
    name: 'self-contained',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk' || chunk.isEntry || chunk.imports.length === 0) continue
        this.error(`${chunk.fileName} imports ${chunk.imports.join(', ')}`)
      }
    },
  }
}
