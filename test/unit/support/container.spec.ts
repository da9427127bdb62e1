import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

/** Files of the project that `file` imports, itself included, from the root. */
function imported(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)[^'"]*['"](\.[^'"]+)['"]/gm)) {
    imported(join(dirname(file), target), found)
  }
  return found
}

/** What the build stage of the container has of the project. */
function copied(): string[] {
  const [, build = ''] = readFileSync('relay-config/Containerfile', 'utf8').split(/^FROM /m)
  const copies = [...build.matchAll(/^COPY (.+) \S+$/gm)]
  return copies.flatMap(([, sources = '']) => sources.split(' '))
}

it('copies all that the configuration of the build imports, and nothing that is not there', () => {
  const has = copied()
  expect(has.filter((path) => !existsSync(path))).toEqual([])
  const needed = [...imported('vite.config.ts'), ...imported('svelte.config.js')]
  expect(needed.length).toBeGreaterThan(4)
  expect(needed.filter((file) => !has.some((path) => file === path || file.startsWith(`${path}/`)))).toEqual([])
})
