/** As many kills as asked for, over one transfer and one add after the other. `npm run soak` */
import { startCountingPeer } from '../support/counting-peer.ts'
import { expect, test } from '../support/fixtures.ts'
import { KILL_KINDS, openKilledPhone } from '../support/killed-phone.ts'
import { addUnderKill, fetchUnderKills, planKills, seededRandom, type Run } from '../support/kill-runs.ts'

const KILLS = Number(process.env.SOAK_KILLS ?? 200)
const SIZE = Number(process.env.SOAK_SIZE ?? 200) * 1024 * 1024
const SEED = Number(process.env.SOAK_SEED ?? 1)
/** Of one fetch at most. */
const KILLS_PER_FETCH = 8
/** About as fast as files are added here, in bytes a ms. */
const ADD_SPEED = (250 * 1024 * 1024) / 1000

test(`${KILLS} kills over files of ${SIZE / 1024 / 1024} MiB, seed ${SEED}`, async ({ appUrl }) => {
  // Each of them starts a browser or a worker, and the file needs its time.
  test.setTimeout(KILLS * 60_000)
  const random = seededRandom(SEED)
  const peer = await startCountingPeer(SIZE)
  try {
    const phone = await openKilledPhone(appUrl)
    try {
      const runs: Run[] = []
      const killed = (): number => runs.reduce((sum, { kills }) => sum + kills, 0)
      while (killed() < KILLS) {
        const number = runs.length
        const seed = `soak ${SEED} ${number}`
        if (number % 2 === 0) {
          const wanted = Math.min(KILLS - killed(), 1 + Math.floor(random() * KILLS_PER_FETCH))
          const kills = planKills(wanted, random, number)
          runs.push(await fetchUnderKills(phone, peer, { size: SIZE, seed, kills }))
        } else {
          const kind = KILL_KINDS[Math.floor(random() * KILL_KINDS.length)] ?? 'page'
          const when = random() < 0.25 ? 'early' : random() * (SIZE / ADD_SPEED)
          runs.push(await addUnderKill(phone, peer, { size: SIZE, seed, kind, when }))
        }
        console.log(`${killed()} of ${KILLS} ${JSON.stringify(runs.at(-1))}`)
      }
      const again = runs.reduce((sum, run) => sum + run.again, 0)
      const perKill = again / killed() / 1024 / 1024
      console.log(`${killed()} kills in ${runs.length} runs; ${perKill.toFixed(1)} MiB fetched twice a kill`)
      expect(killed()).toBeGreaterThanOrEqual(KILLS)
    } finally {
      await phone.close()
    }
  } finally {
    await peer.stop()
  }
})
