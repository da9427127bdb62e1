/** Opening a link: by the camera, by pasting, and a link that lacks something. */
import { en } from '../../src/app/strings/en.ts'
import { expect, test } from '../support/fixtures.ts'
import { pins, shareLink, textFile } from '../support/screens.ts'

test('the camera reads the code of a Share page', async ({ phone }) => {
  const sender = await phone('sender')
  await sender.page.getByTestId('pick-files').setInputFiles(textFile('scanned.txt', 'seen'))
  await shareLink(sender.page, 'scanned.txt')
  const qr = (await sender.page.getByTestId('qr').getAttribute('src')) ?? ''

  const { page } = await phone('receiver', { path: '/#/receive' })
  await page.evaluate(cameraShows, qr)
  await page.getByRole('button', { name: en.receive.scan }).click()
  await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 30_000 })
  await expect(page.getByTestId('item-name')).toHaveText('scanned.txt')
})

test('a refused camera is told with a way round', async ({ phone }) => {
  const { page } = await phone('phone', { path: '/#/receive', permissions: [] })
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
  })
  await page.getByRole('button', { name: en.receive.scan }).click()
  await expect(page.getByRole('alert')).toHaveText(en.receive.cameraDenied)
  await expect(page.getByRole('button', { name: en.receive.scan })).toBeVisible()
})

test('a link that is no link says so and offers another way; a link without a name gets one', async ({ phone }) => {
  const sender = await phone('sender')
  await sender.page.getByTestId('pick-files').setInputFiles(textFile('words.txt', 'some words'))
  const url = new URL(await shareLink(sender.page, 'words.txt'))
  const [path = '', query = ''] = url.hash.split('?')
  const parameters = new URLSearchParams(query)
  parameters.delete('name')

  const { page } = await phone('receiver', { path: '/#/get/nonsense' })
  await expect(page.getByTestId('failure')).toBeVisible()
  await page.getByRole('link', { name: en.get.otherLink }).click()
  await page.getByRole('textbox', { name: en.receive.link }).fill(`${url.origin}/${path}?${parameters.toString()}`)
  await page.getByRole('button', { name: en.receive.open }).click()
  await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 30_000 })
  await expect
    .poll(async () => (await pins(page)).map(({ name }) => name))
    .toEqual([expect.stringMatching(/^Text .*\.txt$/)])
})

/** Runs in the page: its camera films the picture, small and off the middle, as a hand holds it. */
async function cameraShows(source: string): Promise<void> {
  const image = new Image()
  image.src = source
  await image.decode()
  const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 720 })
  const context = canvas.getContext('2d')
  navigator.mediaDevices.getUserMedia = () => {
    setInterval(() => {
      if (context === null) return
      context.fillStyle = '#8a8f80'
      context.fillRect(0, 0, 960, 720)
      context.drawImage(image, 200, 60, 600, 600)
    }, 50)
    return Promise.resolve(canvas.captureStream(20))
  }
}
