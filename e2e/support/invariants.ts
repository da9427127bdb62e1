/** What holds on every phone after every end-to-end test, whatever the test did. */
import { expect, type Page } from '@playwright/test'
import { onNode } from './on-node.ts'
import type { Phone } from './phone.ts'

/** How long a closed app may take to let go of its locks and stores, in ms. */
const LET_GO_MS = 5_000

export async function checkInvariants(phone: Phone): Promise<void> {
  expect(phone.errors, `uncaught errors on ${phone.name}`).toEqual([])
  if (phone.exempt !== undefined) return
  await phone.setOffline(false)
  // A browser of its own begins with an empty page.
  const page = phone.context.pages().find((each) => each.url().startsWith(phone.appUrl))
  if (page !== undefined) {
    expect(await incompletePins(page), `kept on ${phone.name}, but not whole`).toEqual([])
  }
  // A document of the same origin that does not start the app: whatever is still held now is leaked.
  const observer = await phone.context.newPage()
  await observer.goto(new URL('/embed.js', phone.appUrl).href)
  for (const other of phone.context.pages()) if (other !== observer) await other.close()
  await expect
    .poll(() => heldLocks(observer), { message: `locks held on ${phone.name} by a closed app`, timeout: LET_GO_MS })
    .toEqual([])
  expect(await databasesStillOpen(observer, LET_GO_MS), `stores open on ${phone.name} after it closed`).toEqual([])
}

/** What the node says it keeps, yet does not hold whole: nothing half-stored may be reported as stored. */
function incompletePins(page: Page): Promise<string[]> {
  return onNode(page, async (node) => {
    const incomplete: string[] = []
    for await (const pin of node.pin.ls()) {
      const { local } = await node.stat(pin.cid)
      if (!local.complete) incomplete.push(`${pin.name} (${pin.cid}): ${local.bytes} of ${pin.size} bytes`)
    }
    return incomplete
  })
}

function heldLocks(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query()
    return [...held, ...pending].map((lock) => lock.name ?? '')
  })
}

/** A database that cannot be deleted at once has an open connection somewhere. */
function databasesStillOpen(page: Page, timeoutMs: number): Promise<string[]> {
  return page.evaluate(async (ms) => {
    const stuck: string[] = []
    for (const { name } of await indexedDB.databases()) {
      if (name === undefined) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          stuck.push(name)
          resolve()
        }, ms)
        const request = indexedDB.deleteDatabase(name)
        request.onsuccess = request.onerror = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return stuck
  }, timeoutMs)
}
