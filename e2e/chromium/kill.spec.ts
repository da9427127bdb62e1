/** Whatever ends the page, its worker or the browser: jobs go on, and nothing that was reported as stored is lost. */
import { startCountingPeer } from '../support/counting-peer.ts'
import { expect, test } from '../support/fixtures.ts'
import { openKilledPhone } from '../support/killed-phone.ts'
import { fetchUnderKills, planKills, seededRandom } from '../support/kill-runs.ts'

const MiB = 1024 * 1024

test('a fetch goes on by itself after a page crash, a killed worker and a killed browser, twice each', async ({
  appUrl,
}) => {
  test.setTimeout(120_000)
  const size = 40 * MiB
  const peer = await startCountingPeer(size)
  try {
    const phone = await openKilledPhone(appUrl)
    try {
      const kills = planKills(6, seededRandom(1))
      const run = await fetchUnderKills(phone, peer, { size, seed: 'killed fetch', kills })
      expect(run.kills).toBe(6)
    } finally {
      await phone.close()
    }
  } finally {
    await peer.stop()
  }
})
