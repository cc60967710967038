import { describe, expect, test } from 'vitest'
import type { Plan, Sabotage } from './plan.ts'
import { shrink } from './shrink.ts'
import { type SimulationResult, simulate, simulateSeed } from './simulate.ts'

/** Seeds of one run; `ARUS_SIMULATION_SEEDS` for more, or `npm run faults -- simulate`. */
const SEEDS = Number(process.env.ARUS_SIMULATION_SEEDS ?? 1_000)
/** Each with what makes it show, where what seeds draw by themselves meets it in too few of them. */
const SABOTAGES: Readonly<Record<Sabotage, Partial<Plan>>> = {
  'offset before output': {},
  'rows before position': {},
  'blind append': {},
  'acknowledged before written': {},
  'ids forgotten': {},
  'commit on a failed one': {
    store: { faultShare: 0.4, commitMsMax: 200, failMsMax: 60, readMsMax: 200 },
    pace: { msMin: 1, msMax: 5, changes: 1, aheadRecords: 1_000 },
    stallShare: 0,
  },
  'unfenced leader': { hasSecond: true, freezes: 2 },
}

test(`${SEEDS} simulated histories: accepted is in the log, in live state and in the lake, once and in order`, async () => {
  const failed: SimulationResult[] = []
  const hits = { kills: 0, killsInWrite: 0, orphans: 0, faults: 0, failedCommits: 0, leads: 0 }
  await simulate(range(1, SEEDS), (result) => {
    for (const name of Object.keys(hits) as (keyof typeof hits)[]) hits[name] += result.hits[name]
    if (result.wrong.length > 0) failed.push(result)
  })
  expect(failed.map(({ seed, wrong }) => ({ seed, wrong }))).toEqual([])
  for (const [name, count] of Object.entries(hits)) expect(count, name).toBeGreaterThan(SEEDS / 10)
}, 600_000)

test('the same seed takes the same steps, another seed others', async () => {
  const once = await simulateSeed(7)
  expect(await simulateSeed(7)).toEqual(once)
  expect((await simulateSeed(8)).traceHash).not.toBe(once.traceHash)
})

describe('a mistake that is built in is found', () => {
  test.each(Object.entries(SABOTAGES) as [Sabotage, Partial<Plan>][])(
    '%s',
    async (sabotage, plan) => {
      let found: SimulationResult | null = null
      for (let seed = 1; seed <= 400 && found === null; seed++) {
        const result = await simulateSeed(seed, { sabotage, plan })
        if (result.wrong.length > 0) found = result
      }
      expect(found, 'a seed that fails').not.toBeNull()
      const smallest = await shrink(found!, sabotage)
      expect(smallest.wrong).not.toEqual([])
    },
    600_000,
  )
})

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}
