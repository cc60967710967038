import { expect, test } from 'vitest'
import { runCrashCycles } from './crash-cycles.ts'

/** Random, so that many runs see more; `ARUS_CRASH_SEED` repeats the moments of one. */
const SEED = Number(process.env.ARUS_CRASH_SEED ?? Math.floor(Math.random() * 1e6))
/** On a free machine it is some two seconds; other tests run beside this one. */
const READY_MS_MAX = 15_000

test(`kill -9 of the whole server under load, seed ${SEED}: acknowledged is kept, nothing doubles, ready within seconds`, async () => {
  const { wrong, hits, cycles, readyMs, acknowledgedEvents } = await runCrashCycles({ seed: SEED, cycles: 4 })
  expect(wrong).toEqual([])
  expect(cycles).toBe(4)
  expect(acknowledgedEvents).toBeGreaterThan(200)
  expect(hits.append, 'kills that met an open append').toBeGreaterThan(0)
  expect(readyMs[Math.floor(readyMs.length / 2)]).toBeLessThan(READY_MS_MAX)
})
