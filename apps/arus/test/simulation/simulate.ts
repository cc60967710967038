import { seededRandom } from '../../src/catalogue/seeded-random.ts'
import { Chaos } from './chaos.ts'
import { Client } from './client.ts'
import { Ledger } from './ledger.ts'
import { Network } from './network.ts'
import { type Picture, pictureOf } from './picture.ts'
import { type Plan, planOf, type Sabotage } from './plan.ts'
import { withoutLookingBack } from './sabotage.ts'
import { Scheduler, WORLD } from './scheduler.ts'
import { type Hits, SimulatedArus } from './simulated-arus.ts'
import { whatIsWrong } from './verdict.ts'
import { withVirtualTimers } from './virtual-timers.ts'

/** What came of one seed. */
export interface SimulationResult {
  readonly seed: number
  readonly plan: Plan
  /** The same seed and plan give the same one. */
  readonly traceHash: string
  readonly steps: number
  readonly acknowledged: number
  readonly hits: Hits
  /** Empty: everything held. */
  readonly wrong: readonly string[]
}

export interface SimulationOptions {
  readonly plan?: Partial<Plan>
  readonly sabotage?: Sabotage
}

const MIDNIGHT = Date.UTC(2026, 2, 10)
const HOUR_MS = 3_600_000
/** Nothing that was sent arrives later. */
const NETWORK_QUIET_MS = 3_500
/** Whoever was frozen has woken, and a lease that was held meanwhile has gone over. */
const THAWED_MS = 16_000
const STEPS_MAX = 200_000

/** Runs seeds one after the other; hands over each result as it comes. */
export async function simulate(
  seeds: Iterable<number>,
  onResult: (result: SimulationResult) => void | Promise<void>,
  options: SimulationOptions = {},
): Promise<void> {
  let scheduler = new Scheduler(seededRandom(0), MIDNIGHT)
  await withVirtualTimers(
    () => scheduler,
    async () => {
      for (const seed of seeds) {
        const plan = planOf(seed, options.plan)
        scheduler = new Scheduler(seededRandom(seed), MIDNIGHT + plan.startHour * HOUR_MS)
        const run = () => simulateOne(scheduler, { seed, plan, sabotage: options.sabotage ?? null })
        await onResult(
          await (options.sabotage === 'commit on a failed one' ? withoutLookingBack(run) : run()),
        )
      }
    },
  )
}

/** One seed. */
export async function simulateSeed(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  let found: SimulationResult | null = null
  await simulate(
    [seed],
    (result) => {
      found = result
    },
    options,
  )
  return found!
}

async function simulateOne(
  scheduler: Scheduler,
  {
    seed,
    plan,
    sabotage,
  }: { readonly seed: number; readonly plan: Plan; readonly sabotage: Sabotage | null },
): Promise<SimulationResult> {
  const arus = new SimulatedArus(scheduler, plan, sabotage)
  const ledger = new Ledger(arus.log, plan)
  const network = new Network(scheduler, arus, plan)
  const unexpected: string[] = []
  const wrong = (error: unknown) =>
    unexpected.push(error instanceof Error ? (error.stack ?? '') : String(error))
  let working = plan.clients
  arus.start()
  const chaos = new Chaos(scheduler, arus, plan)
  for (let number = 0; number < plan.clients; number++) {
    const client = new Client(number, { scheduler, network, ledger, plan })
    void client
      .run()
      .catch(wrong)
      .finally(() => {
        working -= 1
      })
  }
  const worked = await scheduler.run(() => working === 0, STEPS_MAX)
  chaos.end()
  arus.calm()
  let isQuiet = false
  scheduler.schedule(
    plan.freezes > 0 ? THAWED_MS : NETWORK_QUIET_MS,
    'quiet',
    () => {
      isQuiet = true
    },
    WORLD,
  )
  const quiet = await scheduler.run(() => isQuiet, STEPS_MAX)
  scheduler.nowMs += plan.restHours * HOUR_MS
  let picture: Picture | null = null
  const looked = await scheduler.run(() => arus.isUp, STEPS_MAX)
  void pictureOf(arus)
    .then((found) => {
      picture = found
    })
    .catch(wrong)
  const seen = await scheduler.run(() => picture !== null || unexpected.length > 0, STEPS_MAX)
  const stuck = [worked, quiet, looked, seen].some((status) => status !== 'done')
    ? [`it did not come to rest: clients ${worked}, start ${looked}, catching up ${seen}`]
    : []
  scheduler.note(JSON.stringify([picture === null ? null : (picture as Picture).bronze]))
  return {
    seed,
    plan,
    traceHash: scheduler.traceHash,
    steps: scheduler.stepCount,
    acknowledged: ledger.acknowledgedIds.size,
    hits: arus.hits,
    wrong: [
      ...stuck,
      ...unexpected,
      ...(picture === null ? [] : whatIsWrong({ ledger, picture, plan, uncertainIds: arus.uncertainIds })),
    ],
  }
}
