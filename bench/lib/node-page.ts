/** Pages of the app's origin, and the node as they see it through /embed.js. */
import type { BrowserContext, JSHandle, Page } from '@playwright/test'
import type { PocketNode } from '../../src/contract/node-api.ts'
import type { Stage } from './stage.ts'

export type NodeHandle = JSHandle<PocketNode>

/** A document of the app's origin that does not start the app: nothing else asks the node. */
export async function openBarePage(context: BrowserContext, stage: Stage): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${stage.appUrl}/embed.js`)
  return page
}

export function connectNode(page: Page): Promise<NodeHandle> {
  return page.evaluateHandle(async (embed) => {
    const { connect } = (await import(embed)) as { connect: () => Promise<PocketNode> }
    return connect()
  }, '/embed.js')
}

/** A File as a person picks it: its bytes stay on the disk until they are read. */
export async function pickFile(page: Page, path: string): Promise<JSHandle<File>> {
  const input = await page.evaluateHandle(() => {
    const element = document.createElement('input')
    element.type = 'file'
    element.id = 'bench-file'
    return document.body.appendChild(element)
  })
  // Playwright would send the bytes, 50 MiB at most, to a browser that it has not started itself.
  const session = await page.context().newCDPSession(page)
  const { result } = await session.send('Runtime.evaluate', { expression: 'document.getElementById("bench-file")' })
  await session.send('DOM.setFileInputFiles', { files: [path], objectId: result.objectId ?? '' })
  await session.detach()
  return page.evaluateHandle((element) => {
    const file = element.files?.[0]
    if (file === undefined) throw new Error('no file was chosen')
    element.remove()
    return file
  }, input)
}
