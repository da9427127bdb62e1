/** What tests of the screens share. */
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, onNode } from './fixtures.ts'

export interface Input {
  name: string
  mimeType: string
  buffer: Buffer
}

export function textFile(name: string, text: string): Input {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) }
}

export function tile(page: Page, name: string | RegExp): ReturnType<Page['locator']> {
  return page.getByTestId('library').getByRole('link', { name })
}

export function pins(page: Page): Promise<{ name: string; addedAt: number; origin: string }[]> {
  return onNode(page, async (node) => {
    const all: { name: string; addedAt: number; origin: string }[] = []
    for await (const { name, addedAt, origin } of node.pin.ls()) all.push({ name, addedAt, origin })
    return all.sort((a, b) => b.addedAt - a.addedAt)
  })
}

/** Opens the item from the library, then its Share page; resolves with the link once it works. */
export async function shareLink(page: Page, name: string): Promise<string> {
  await tile(page, name).click()
  await page.getByRole('link', { name: en.item.share }).click()
  const link = page.getByTestId('share-link')
  await expect(link).toHaveAttribute('data-reachable', 'true', { timeout: 20_000 })
  return link.inputValue()
}
