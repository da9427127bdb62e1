/** Whatever ends the page, its worker or the browser: jobs go on, and nothing that was reported as stored is lost. */
import { startCountingPeer, type CountingPeer } from '../support/counting-peer.ts'
import { expect, test } from '../support/fixtures.ts'
import { KILL_KINDS, openKilledPhone, type KilledPhone } from '../support/killed-phone.ts'
import { addUnderKill, fetchUnderKills, planKills, seededRandom, type Run } from '../support/kill-runs.ts'

const MiB = 1024 * 1024
const SIZE = 40 * MiB

test.describe('after a page crash, a killed worker and a killed browser', () => {
  let peer: CountingPeer
  let phone: KilledPhone
  test.setTimeout(120_000)
  test.beforeEach(async ({ appUrl }) => {
    peer = await startCountingPeer(SIZE)
    phone = await openKilledPhone(appUrl)
  })
  test.afterEach(async () => {
    await phone.close()
    await peer.stop()
  })

  test('a fetch goes on by itself, and what came is not fetched again', async () => {
    const kills = planKills(6, seededRandom(1))
    expect(await fetchUnderKills(phone, peer, { size: SIZE, seed: 'killed fetch', kills })).toMatchObject({ kills: 6 })
  })

  test('an add goes on by itself from its stored copy', async () => {
    const runs: Run[] = []
    for (const kind of KILL_KINDS) {
      runs.push(await addUnderKill(phone, peer, { size: SIZE, seed: `add cut off by ${kind}`, kind, when: 0 }))
    }
    // On a fast machine one may be done before it can be killed.
    expect(runs.filter(({ cut }) => cut)).not.toEqual([])
  })
})
