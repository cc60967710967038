import { DEFAULT_STORE_PACE } from '../../src/live/store-pace.ts'
import { type Plan, type Sabotage, SOUND_STORE } from './plan.ts'
import { type SimulationResult, simulateSeed } from './simulate.ts'

/** What is tried, one after the other: less of everything. */
const REDUCTIONS: readonly ((plan: Plan) => Partial<Plan>)[] = [
  () => ({ crashes: 0 }),
  () => ({ faultShare: 0 }),
  () => ({ store: SOUND_STORE }),
  ({ store }) => ({ store: { ...SOUND_STORE, faultShare: store.faultShare } }),
  () => ({ pace: DEFAULT_STORE_PACE }),
  () => ({ stallShare: 0 }),
  () => ({ lakeWriteMsMax: 4 }),
  () => ({ restHours: 0 }),
  () => ({ lossShare: 0 }),
  () => ({ doubleShare: 0 }),
  () => ({ repeatShare: 0 }),
  () => ({ clockJumps: 0 }),
  () => ({ poisonShare: 0 }),
  () => ({ partitions: 1 }),
  ({ clients }) => ({ clients: Math.ceil(clients / 2) }),
  ({ requestsPerClient }) => ({ requestsPerClient: Math.ceil(requestsPerClient / 2) }),
  ({ eventsPerRequestMax }) => ({ eventsPerRequestMax: Math.ceil(eventsPerRequestMax / 2) }),
  ({ crashes }) => ({ crashes: Math.max(0, crashes - 1) }),
]

/** The seed that failed, with as little as it takes to fail still. */
export async function shrink(failed: SimulationResult, sabotage?: Sabotage): Promise<SimulationResult> {
  let smallest = failed
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false
    for (const reduce of REDUCTIONS) {
      const plan = { ...smallest.plan, ...reduce(smallest.plan) }
      if (JSON.stringify(plan) === JSON.stringify(smallest.plan)) continue
      const result = await simulateSeed(failed.seed, {
        plan,
        ...(sabotage === undefined ? {} : { sabotage }),
      })
      if (result.wrong.length === 0) continue
      smallest = result
      hasShrunk = true
    }
  }
  return smallest
}
