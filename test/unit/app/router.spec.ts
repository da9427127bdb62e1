import { expect, it } from 'vitest'
import { parsePath } from '../../../src/core/content/paths.ts'
import { ipfsPath } from '../../../src/contract/link.ts'
import { itemHref, parseRoute, shareHref } from '../../../src/app/state/router.svelte.ts'

const cid = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

it('what lies in a folder is found again, by addresses and by the node, whatever it is called', () => {
  const path = 'a b/50% #1?.txt'
  expect(parseRoute(itemHref(ipfsPath(cid, path)))).toEqual({ screen: 'item', cid, path })
  expect(parseRoute(shareHref(ipfsPath(cid, path)))).toEqual({ screen: 'share', cid, path })
  expect(parseRoute(shareHref(cid))).toEqual({ screen: 'share', cid, path: '' })
  expect(parsePath(ipfsPath(cid, path)).names).toEqual(path.split('/'))
})
