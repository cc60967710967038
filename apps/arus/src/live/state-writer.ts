import type { LogBatch } from '@arus/event-log'
import type { ShopEvent } from '../events/event.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { BackgroundWork } from './background-work.ts'
import type { LiveMemory } from './live-memory.ts'
import { entryCountOf, isUnstorable, UnusableEntries } from './poison-watch.ts'
import type { StorePace } from './store-pace.ts'
import { OFFSET_PREFIX } from './stored-form.ts'
import { UnstoredIds } from './unstored-ids.ts'

export interface StateWriterOptions {
  readonly state: StateStore
  readonly memory: LiveMemory
  /** Where memory stands, by partition. */
  readonly applied: ReadonlyMap<number, number>
  readonly pace: StorePace
  /** Counts time whatever the clock is set to, milliseconds. */
  readonly steadyMs: () => number
  /** Told of each commit. */
  readonly onStored: () => void
}

/** Stores what memory has changed, with the offsets that it stands for, while the next events are applied. */
export class StateWriter {
  readonly #options: StateWriterOptions
  /** Offsets that the store stands for; those of `applied` that are ahead are in memory only. */
  readonly #stored = new Map<number, number>()
  /** Ids of what was applied since. */
  readonly ids = new UnstoredIds()
  /** What was applied since, and is not in the commit that is under way. */
  #unstored: LogBatch[] = []
  /** That commit. */
  readonly #storing = new BackgroundWork()
  #storedAtMs = 0

  constructor(options: StateWriterOptions) {
    this.#options = options
  }

  get stored(): ReadonlyMap<number, number> {
    return this.#stored
  }

  /** Throws what a commit failed with since the last call: nothing may be applied on top of that. */
  check(): void {
    this.#storing.check()
  }

  /** Resolves when no commit is under way; throws what failed. */
  done(): Promise<void> {
    return this.#storing.done()
  }

  /** Memory has taken these in. */
  add(part: LogBatch, fresh: readonly { readonly event: ShopEvent; readonly offset: number }[]): void {
    const { partition } = part
    this.#unstored.push(part)
    for (const { event, offset } of fresh)
      this.ids.add(event.event_id, { partition, offset, receivedAtMs: event.received_at })
  }

  /** Begins a commit where it is time; waits for the one before where too much is ahead of it. */
  async storeIfDue(): Promise<void> {
    if (entryCountOf(this.#unstored) >= this.#options.pace.aheadRecords) await this.#storing.done()
    if (!this.#storing.isBusy && this.#isDue()) this.#begin()
  }

  #isDue(): boolean {
    const { pace, steadyMs, state, memory } = this.#options
    const { msMin, msMax, changes, aheadRecords } = pace
    const passedMs = steadyMs() - this.#storedAtMs
    // Whoever follows sees no event before it is stored.
    const isFollowed = (state.sharing?.followerCount ?? 0) > 0
    if (passedMs >= (isFollowed ? msMin : msMax) || entryCountOf(this.#unstored) >= aheadRecords) return true
    return passedMs >= msMin && memory.changeCount >= changes
  }

  /** Resolves when no commit is under way, whatever became of it. */
  idle(): Promise<void> {
    return this.#storing.idle()
  }

  /** Sees to it that a commit is under way; false where all is stored. Throws what failed, as `check`. */
  beginIfIdle(): boolean {
    this.check()
    if (!this.#storing.isBusy) this.#begin()
    return this.#storing.isBusy
  }

  /** Stores all that is applied; resolves when it is. */
  async store(): Promise<void> {
    await this.#storing.done()
    this.#begin()
    await this.#storing.done()
  }

  #begin(): void {
    const parts = this.#unstored
    if (parts.length === 0) return
    this.#storing.begin(() =>
      this.commit().catch((error: unknown) => {
        throw isUnstorable(error) ? new UnusableEntries(error, parts, null) : error
      }),
    )
  }

  /** Everything that changed, in one commit with the offsets it stands for and `more`. */
  async commit(more: readonly StateChange[] = []): Promise<void> {
    const { state, memory, applied, steadyMs, onStored } = this.#options
    const moved = [...applied].filter(([partition, offset]) => this.#stored.get(partition) !== offset)
    const offsets = moved.map(([partition, value]) => ({ key: OFFSET_PREFIX + partition, value }))
    this.#unstored = []
    this.#storedAtMs = steadyMs()
    await state.commit([...memory.drain(), ...offsets, ...more])
    for (const [partition, offset] of moved) this.#stored.set(partition, offset)
    this.ids.areStored(this.#stored)
    onStored()
  }

  /** Memory has been taken back to what is stored. */
  restored(offsets: Iterable<readonly [partition: number, offset: number]>): void {
    for (const [partition, offset] of offsets) this.#stored.set(partition, offset)
    this.#unstored = []
  }
}
