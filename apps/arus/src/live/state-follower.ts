import type { StateStore } from '../state/state-store.ts'
import type { Listeners } from './listeners.ts'
import type { LiveMemory } from './live-memory.ts'
import type { RateCounter } from './recent-activity.ts'
import { FORMAT, FORMAT_KEY, OFFSET_PREFIX } from './stored-form.ts'

export interface StateFollowerOptions {
  readonly state: StateStore
  readonly memory: LiveMemory
  /** Where memory stands, by partition. */
  readonly applied: Map<number, number>
  readonly eventRate: RateCounter
  readonly listeners: Listeners
  readonly now: () => number
  /** Takes all that is stored for the truth. */
  readonly restore: () => Promise<void>
}

/**
 * Keeps memory as the store says, while another process applies the log to it. What that process keeps in a form of its own, or is making anew,
 * is not looked at before it is there.
 */
export class StateFollower {
  readonly #options: StateFollowerOptions
  #isReadable = false

  constructor(options: StateFollowerOptions) {
    this.#options = options
  }

  async restore(): Promise<void> {
    const { state, restore, listeners } = this.#options
    this.#isReadable = (await state.get(FORMAT_KEY)) === FORMAT
    if (this.#isReadable) await restore()
    listeners.announce([])
  }

  /** The other process has stored these keys. */
  async follow(keys: readonly string[]): Promise<void> {
    if (keys.includes(FORMAT_KEY)) return this.restore()
    if (!this.#isReadable) return
    const { state, memory, applied, eventRate, listeners, now } = this.#options
    // Before what they stand for: what is read after them is at least as new.
    const moved = keys.filter((key) => key.startsWith(OFFSET_PREFIX))
    const offsets = await state.getMany(moved)
    const before = memory.figures.totalEvents
    const shoppers = await memory.follow(keys)
    eventRate.add(Math.max(0, memory.figures.totalEvents - before), now())
    for (const [i, key] of moved.entries())
      if (offsets[i] !== undefined) applied.set(Number(key.slice(OFFSET_PREFIX.length)), offsets[i] as number)
    listeners.announce(shoppers)
  }
}
