import { join } from 'node:path'
import type { CliContext } from '../cli/context.ts'
import { sendEvents } from '../events/send.ts'
import { shopProducts } from '../events/shop-products.ts'
import { ShopperSimulation } from '../events/shoppers.ts'
import type { StateStore } from '../state/state-store.ts'
import { trainInProcess } from '../training/train-in-process.ts'
import type { Server } from './server.ts'

const USERS = 2_000
const EVENTS = 60_000
const DAYS = 14
const KEY = 'start/history'

/** When the history of a generated shop was planned, and whether it is all there. */
interface Plan {
  readonly endMs: number
  readonly isDone: boolean
}

/**
 * Gives a generated shop a past: two weeks of simulated shoppers, then a first model. The plan is stored before the
 * first event and the events have fixed ids, so an interrupted start goes on where it was and doubles nothing.
 */
export async function firstHistory(context: CliContext, server: Server, seed: number): Promise<void> {
  const { parts, signal, onProgress } = context
  const state = await parts.state()
  const plan = await planOf(state)
  if (!plan.isDone) {
    const simulation = new ShopperSimulation({
      products: shopProducts(await parts.catalogue()),
      userCount: USERS,
      eventCount: EVENTS,
      startMs: plan.endMs - DAYS * 86_400_000,
      endMs: plan.endMs,
      seed,
      runId: 'history',
    })
    await sendEvents(simulation.events(), {
      sink: (events) => server.ingest.accept(events),
      rate: 0,
      total: EVENTS,
      step: `Two weeks of ${USERS.toLocaleString('en')} shoppers`,
      onProgress,
      signal,
    })
    context.onProgress({ step: 'Refining the lake', done: 0, total: 1, unit: 'steps' })
    await server.refineNow()
    context.onProgress({ step: 'Refining the lake', done: 1, total: 1, unit: 'steps' })
    await state.commit([{ key: KEY, value: { ...plan, isDone: true } satisfies Plan }])
  }
  if ((await (await parts.registry()).production()) === null) await trainFirst(context, server)
}

/** Popular, walk and low-pass: whoever waits for the first start wants a good model soon; `arus train` looks for the best. */
const FIRST_TRIALS = 3

/** Trains in a process of its own and puts the model into service. */
async function trainFirst(context: CliContext, server: Server): Promise<void> {
  await trainInProcess({
    entry: join(import.meta.dirname, 'training-process.ts'),
    order: { settings: context.parts.settings, force: false, trialsMax: FIRST_TRIALS },
    onProgress: context.onProgress,
    signal: context.signal,
  })
  await server.models.refresh()
}

async function planOf(state: StateStore): Promise<Plan> {
  const stored = (await state.get(KEY)) as Plan | undefined
  if (stored !== undefined) return stored
  const plan: Plan = { endMs: Date.now(), isDone: false }
  await state.commit([{ key: KEY, value: plan }])
  return plan
}
