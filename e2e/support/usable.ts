/** What tests of bad input share: the code of a failure, and that the node goes on. */
import { writeFile } from 'node:fs/promises'
import { test, type Page } from '@playwright/test'
import { expect, kept, onNode, placeInput, type RandomFile } from './fixtures.ts'

/** A peer that is nowhere. */
export const SOMEONE = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

/** Writes the file and picks it in an input of the test's own. Resolves with its path. */
export async function pick(page: Page, file: RandomFile): Promise<string> {
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  await page.locator(await placeInput(page)).setInputFiles(path)
  return path
}

export function dial(page: Page, addr: string): Promise<unknown> {
  return onNode(page, (node, target) => node.dial(target.addr), { addr })
}

/** The stable code of a failure, `none` without one. */
export async function codeOf(result: Promise<unknown>): Promise<string> {
  try {
    await result
    return 'none'
  } catch (error) {
    return /\bERR_[A-Z_]+\b/.exec((error as Error).message)?.[0] ?? (error as Error).message
  }
}

/** It adds and reads, keeps nothing but `names`, and nothing is under way. */
export async function expectUsable(page: Page, names: string[] = []): Promise<void> {
  expect(Object.keys(await kept(page)).sort()).toEqual([...names].sort())
  const usable = await onNode(page, async (node) => {
    const text = `still usable ${crypto.randomUUID()}`
    const { cid } = await node.add(new Blob([text]), { name: 'usable' })
    const read = await new Response(node.cat(cid) as ReadableStream<BufferSource>).text()
    await node.pin.rm(cid)
    const running = (await node.transfers.list()).filter(({ state }) => state === 'running')
    return { same: read === text, running: running.map((transfer) => transfer.name) }
  })
  expect(usable).toEqual({ same: true, running: [] })
}
