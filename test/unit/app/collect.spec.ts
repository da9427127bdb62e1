import { expect, it } from 'vitest'
import { entriesOf } from '../../../src/app/content/collect.ts'

it('gives files of one name numbers, since every photo of an iPhone is called image.jpg', () => {
  const file = new File(['x'], 'image.jpg')
  const paths = ['image.jpg', 'image.jpg', 'image.jpg', 'a.b/notes', 'a.b/notes'].map((path) => ({ path, file }))
  expect(entriesOf(paths).map(({ path }) => path)).toEqual([
    ...['image.jpg', 'image (2).jpg', 'image (3).jpg', 'a.b/notes', 'a.b/notes (2)'],
  ])
})
