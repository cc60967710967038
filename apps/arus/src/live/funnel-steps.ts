import type { StateChange, StateStore } from '../state/state-store.ts'
import { expiryAt } from './live-rules.ts'
import type { FunnelCounts } from './live-state.ts'
import { type DayFigures, FUNNEL_STEPS } from './shop-figures.ts'
import { StateCache } from './state-cache.ts'

const CACHE_ENTRIES = 50_000
const KEPT_MS = 3 * 86_400_000

type Step = keyof FunnelCounts

/** Which shopper reached which step of the funnel on which day, so that each counts once. */
export class FunnelSteps {
  readonly #reached: StateCache<number>

  constructor(prefix: string) {
    this.#reached = new StateCache(`${prefix}step/`, CACHE_ENTRIES)
  }

  /** Brings into memory what these need. */
  load(
    state: StateStore,
    of: readonly (readonly [day: number, action: string, shopper: string])[],
  ): Promise<void> {
    return this.#reached.load(
      state,
      of
        .filter(([, action]) => FUNNEL_STEPS.some((step) => step === action))
        .map(([day, action, shopper]) => stepId(day, action, shopper)),
    )
  }

  /** A shopper reached a step, maybe again. */
  count(day: DayFigures, step: Step, shopper: string): void {
    const id = stepId(day.day, step, shopper)
    if (this.#reached.get(id) !== undefined) return
    this.#reached.set(id, 1)
    day.funnel[step] += 1
  }

  /** Takes a shopper out of the funnels of these days. */
  async forget(state: StateStore, days: readonly DayFigures[], shopper: string): Promise<void> {
    const steps = days.flatMap((day) =>
      FUNNEL_STEPS.map((step) => ({ day, step, id: stepId(day.day, step, shopper) })),
    )
    await this.#reached.load(
      state,
      steps.map(({ id }) => id),
    )
    for (const { day, step, id } of steps) {
      if (this.#reached.get(id) === undefined) continue
      this.#reached.set(id, undefined)
      day.funnel[step] -= 1
    }
  }

  get changeCount(): number {
    return this.#reached.changeCount
  }

  drain(nowMs: number): StateChange[] {
    return this.#reached.drain(expiryAt(nowMs, KEPT_MS))
  }

  drop(): void {
    this.#reached.drop()
  }
}

/** True for the key of a step that one of the shoppers reached: `…step/20400/view/ani`. */
export function isStepOf(prefix: string, key: string, shoppers: ReadonlySet<string>): boolean {
  if (!key.startsWith(`${prefix}step/`)) return false
  const shopperAt = key.indexOf('/', key.indexOf('/', prefix.length + 'step/'.length) + 1) + 1
  return shoppers.has(key.slice(shopperAt))
}

function stepId(day: number, step: string, shopper: string): string {
  return `${day}/${step}/${shopper}`
}
