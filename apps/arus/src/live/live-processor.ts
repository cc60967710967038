import type { EventLog, LogBatch } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import { GROUPS } from '../events/topics.ts'
import { Pacer } from '../pacer.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { BackgroundWork } from './background-work.ts'
import { decodeEvent } from './decode-event.ts'
import { followLog, partOf } from './follow-log.ts'
import { Leadership } from './leadership.ts'
import { keysOf, LIVE_PREFIX, LiveMemory, type ShopperTraces } from './live-memory.ts'
import { LiveReads } from './live-reads.ts'
import { DEFAULT_LIVE_RULES, type LiveRules } from './live-rules.ts'
import type { LiveAnalytics, LiveState } from './live-state.ts'
import { entryCountOf, isUnstorable, PoisonWatch, UnusableEntries } from './poison-watch.ts'
import { Rejections } from './rejections.ts'
import { DEFAULT_STORE_PACE, type StorePace } from './store-pace.ts'
import { Turns } from './turns.ts'
import { UnstoredIds } from './unstored-ids.ts'

export interface LiveProcessorOptions {
  readonly log: EventLog
  readonly topic: string
  /** Where entries go whose processing fails again and again. */
  readonly rejectedTopic: string
  readonly state: StateStore
  readonly now: () => number
  /** Counts time whatever the clock is set to, milliseconds. */
  readonly steadyMs?: () => number
  readonly rules?: LiveRules
  readonly pace?: StorePace
  /** Category of a product, for the counters of categories; null when it has none. Absent: no categories. */
  readonly categoryOf?: (productId: string) => string | null
  /** An event_id seen again within this time has no effect. */
  readonly idempotencyWindowMs: number
  /** Whether an event was removed with its shopper, though the log has it still: it is passed over. */
  readonly isRemoved?: (
    shopper: string,
    at: { readonly partition: number; readonly offset: number },
  ) => boolean
  /**
   * Told of entries that are passed over: those that are no events, which the lake rejects by itself, and those whose
   * processing failed again and again, which have gone to the rejected topic.
   */
  readonly onPoison?: (batch: LogBatch, offset: number, error: unknown) => void
  /**
   * Told of a batch that could not be committed, which is applied again from the stored state; and, as `NOT_READY`, of a start that
   * gives up waiting for a log that takes longer, which it goes on applying.
   */
  readonly onFault?: (error: unknown) => void
  /** Wait after a fault before going on, doubled with each one in a row. Default 500. */
  readonly retryMs?: number
  /** A start waits so long at most for what the log holds. Default 600,000. */
  readonly catchUpMsMax?: number
}

/** The stream processors, running. */
export interface LiveProcessor extends LiveState {
  /** False while another process, which shares the store, applies the log and this one follows. */
  readonly isLeading: boolean
  /** Calls back now, and whenever that has changed. */
  onRole(listener: (isLeading: boolean) => void): void
  /** Which of the ids were applied within the idempotency window, also where memory was taken back since and the log is read again. */
  isKnown(eventIds: readonly string[]): Promise<boolean[]>
  /**
   * Removes a shopper's history and sessions, and takes them out of `total_users`, `events_total`, the funnel and the
   * recent events; gives the number of history items removed. Their part in the day's events, actions and revenue, in
   * product counters and trends cannot be told from that of others and stays. A rebuild counts what the log still holds.
   * With `traces`, what is named there goes too, and the bytes of all of it are on the disk no more.
   */
  forget(shopper: string, traces?: ShopperTraces): Promise<number>
  /**
   * Forgets everything and applies the log from its beginning; resolves when it has caught up with its present end. A
   * rebuild that was cut short is begun again at the next start. Until it is done `isKnown` knows what was applied so far.
   */
  rebuild(): Promise<void>
  /** Resolves when all that is applied is stored too. What is not is applied again from the log after a crash. */
  flush(): Promise<void>
  stop(): Promise<void>
}

/** Consumer group under which progress shows as lag. */
export const LIVE_GROUP = GROUPS.live

const OFFSET_PREFIX = `${LIVE_PREFIX}offset/`
/** Says in which form the state is stored; outside the prefix, so that it goes first and comes back last. */
const FORMAT_KEY = 'live-format'
/** Raised when the stored form changes: state of another form is made again from the log. */
const FORMAT = 4
/** Entries applied in one commit at most while catching up: large commits write each shopper and product less often. */
const BATCH_RECORDS = 10_000
/** And once that is done: the figures move, and nothing holds up requests for long. */
const SERVING_RECORDS = 1_000
const LAG_COMMIT_MS = 1_000
const RETRY_MS = 500
const CATCH_UP_MS_MAX = 600_000

/**
 * Restores what was stored, then applies the log until stopped; resolves when it has caught up with the log's end, or once that has
 * taken `catchUpMsMax`, of which `onFault` is told. Where several processes share the store, one applies the log and the others
 * follow what it stores.
 */
export async function startLiveProcessor(options: LiveProcessorOptions): Promise<LiveProcessor> {
  const processor = new StreamProcessor(options)
  await processor.start()
  return processor
}

/**
 * Forgets all live state and applies the log from its beginning; gives the figures of the new state. Nothing else may run
 * on the state meanwhile. One that was cut short is begun again by the next start.
 */
export async function rebuildLiveState(options: LiveProcessorOptions): Promise<LiveAnalytics> {
  await options.state.sharing?.lead({ force: true })
  const processor = new StreamProcessor(options)
  await processor.makeAnew()
  await processor.stop()
  return processor.analytics()
}

/**
 * One loop over all partitions. Batches change values in memory, where readers see them at once; several times a second those are
 * committed together with the offsets they stand for and the ids of their events, so that every event counts once in effect,
 * whenever the process dies: what was not stored yet is applied again from the log.
 */
class StreamProcessor extends LiveReads implements LiveProcessor {
  readonly #options: LiveProcessorOptions
  readonly #pace: StorePace
  readonly #steadyMs: () => number
  readonly #poison = new PoisonWatch(BATCH_RECORDS)
  readonly #rejections: Rejections
  /** Batches and forgetting; memory that is ahead of the store is brought back to what is stored. */
  readonly #turns = new Turns(() => this.#restore())
  /** The ends of partitions at the start: before them it is catching up. */
  #caughtUpAt: ReadonlyMap<number, number> = new Map()
  /** Offsets that the store stands for; those of `applied` that are ahead are in memory only. */
  readonly #stored = new Map<number, number>()
  /** What was applied since, and is not in the commit that is under way. */
  #unstored: LogBatch[] = []
  readonly #unstoredIds = new UnstoredIds()
  /** That commit: the next batches are applied meanwhile. */
  readonly #storing = new BackgroundWork()
  #storedAtMs = 0
  /** How often memory was taken back to what is stored, and how often it had been when the log began to be read. */
  #restores = 0
  #followed = 0
  #abort = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  readonly #leadership: Leadership
  /** Settled once memory holds what was stored. */
  #begun = Promise.withResolvers<void>()
  /** While another process leads: what it stores is in the form known here. */
  #isReadable = false
  /** Set while there is progress the log has not been told of. */
  #lagTimer: NodeJS.Timeout | null = null

  constructor(options: LiveProcessorOptions) {
    const { rules = DEFAULT_LIVE_RULES, categoryOf = () => null } = options
    super(new LiveMemory({ ...options, rules, categoryOf }), options.now)
    this.#options = options
    this.#pace = options.pace ?? DEFAULT_STORE_PACE
    this.#steadyMs = options.steadyMs ?? (() => performance.now())
    this.#rejections = new Rejections({ ...options, topic: options.rejectedTopic })
    const { state, onFault = () => {}, retryMs = RETRY_MS } = options
    this.#leadership = new Leadership({
      sharing: state.sharing,
      lead: (signal) => this.#lead(signal),
      restore: () => this.#turns.take(() => this.#restoreAsFollower()),
      follow: (keys) => this.#turns.take(() => this.#followStore(keys)),
      retryMs,
      onFault: (error) => {
        this.#begun.reject(error)
        onFault(error)
      },
    })
  }

  get isLeading(): boolean {
    return this.#leadership.isLeading
  }

  onRole(listener: (isLeading: boolean) => void): void {
    this.#leadership.onRole(listener)
  }

  async start(): Promise<void> {
    await this.#begin()
    await this.#catchUp()
  }

  /** Leads or follows from now on; resolves when memory holds what was stored. */
  async #begin(): Promise<void> {
    const { partitions } = await this.#options.log.topic(this.#options.topic)
    this.#caughtUpAt = new Map(partitions.map(({ partition, endOffset }) => [partition, endOffset]))
    this.#abort = new AbortController()
    this.#begun = Promise.withResolvers()
    this.#loop = this.#leadership.run(this.#abort.signal)
    try {
      await this.#begun.promise
    } catch (error) {
      await this.#end()
      throw error
    }
  }

  /** Waits until the log is applied up to where it ended at the start; false, and says so, when that takes too long. */
  async #catchUp(): Promise<boolean> {
    const { catchUpMsMax = CATCH_UP_MS_MAX, onFault } = this.#options
    const waits = Array.from(this.#caughtUpAt, ([partition, endOffset]) =>
      this.waitFor(partition, endOffset - 1, catchUpMsMax),
    )
    if ((await Promise.all(waits)).every((isApplied) => isApplied)) return true
    onFault?.(
      new ArusError(
        'NOT_READY',
        `live state has ${this.#behind} entries of the log still to apply after ${catchUpMsMax / 1000} s: its figures are old until then`,
      ),
    )
    return false
  }

  /** Entries that stood in the log at the start and are not applied yet. */
  get #behind(): number {
    let entries = 0
    for (const [partition, endOffset] of this.#caughtUpAt)
      entries += Math.max(0, endOffset - (this.applied.get(partition) ?? 0))
    return entries
  }

  flush(): Promise<void> {
    return this.#turns.take(() => this.#store())
  }

  async stop(): Promise<void> {
    const wasLeading = this.#leadership.isLeading
    await this.#end()
    // What cannot be stored now is applied again from the log at the next start.
    if (wasLeading) await this.flush().catch((error: unknown) => this.#options.onFault?.(error))
    if (wasLeading) await this.#commitLag()
    // Where that cannot be said now the lease ends by itself.
    await this.#leadership.resign().catch(() => {})
  }

  async #end(): Promise<void> {
    this.#abort.abort()
    await this.#loop
  }

  async isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    const { now, idempotencyWindowMs } = this.#options
    // Before the store is asked: what leaves these is stored.
    const unstoredAtMs = eventIds.map((id) => this.#unstoredIds.receivedAtMs(id))
    const stored = await this.memory.isKnown(eventIds)
    const nowMs = now()
    return unstoredAtMs.map(
      (atMs, i) => stored[i]! || (atMs !== undefined && nowMs - atMs < idempotencyWindowMs),
    )
  }

  async forget(shopper: string, traces?: ShopperTraces): Promise<number> {
    const shoppers = [...new Set([shopper, ...(traces?.names ?? [])])]
    await this.#leadership.claim()
    return this.#turns.take(async () => {
      await this.#storing.done().catch(() => this.#restore())
      let removed = 0
      let isKnown = false
      for (const name of shoppers) {
        const items = await this.memory.forget(name)
        removed += items ?? 0
        isKnown ||= items !== null
      }
      if (!isKnown && traces === undefined) return 0
      this.memory.forgetTraces(traces ?? {})
      this.#unstoredIds.forget(traces?.eventIds ?? [])
      await this.#commit()
      if (traces !== undefined) await this.#options.state.erase(keysOf(shoppers, traces))
      this.listeners.announce(shoppers)
      return removed
    })
  }

  async rebuild(): Promise<void> {
    await this.#leadership.claim()
    await this.makeAnew()
  }

  /** For whoever leads. */
  async makeAnew(): Promise<void> {
    await this.#options.state.commit([{ key: FORMAT_KEY, value: undefined }])
    await this.#end()
    await this.#turns.idle()
    await this.#storing.done().catch(() => {})
    await this.#begin()
    while (!(await this.#catchUp()) && !this.#abort.signal.aborted);
  }

  /** State in no known form, left half cleared by a rebuild that was cut short, or of another log, goes. */
  async #clearOtherState(): Promise<void> {
    const { state } = this.#options
    if ((await state.get(FORMAT_KEY)) === FORMAT && !(await this.#isAheadOfLog())) return
    await state.clear(LIVE_PREFIX)
    await state.commit([{ key: FORMAT_KEY, value: FORMAT }])
  }

  /** True when more was applied than the log ever held: it was made anew, while the state stood elsewhere. */
  async #isAheadOfLog(): Promise<boolean> {
    const { state, log, topic } = this.#options
    const { partitions } = await log.topic(topic)
    for (const { partition, endOffset } of partitions) {
      const applied = (await state.get(OFFSET_PREFIX + partition)) as number | undefined
      if ((applied ?? 0) > endOffset) return true
    }
    return false
  }

  /** Applies the log, until the signal aborts. */
  async #lead(signal: AbortSignal): Promise<void> {
    await this.#clearOtherState()
    await this.#turns.take(() => this.#restore())
    this.#leadership.isReady()
    this.#begun.resolve()
    await this.#follow(signal)
  }

  /** What another process keeps in a form of its own, or is making anew, is not looked at before it is there. */
  async #restoreAsFollower(): Promise<void> {
    this.#isReadable = (await this.#options.state.get(FORMAT_KEY)) === FORMAT
    if (this.#isReadable) await this.#restore()
    this.#begun.resolve()
    this.listeners.announce([])
  }

  async #followStore(keys: readonly string[]): Promise<void> {
    if (keys.includes(FORMAT_KEY)) return this.#restoreAsFollower()
    if (!this.#isReadable) return
    // Before what they stand for: what is read after them is at least as new.
    const moved = keys.filter((key) => key.startsWith(OFFSET_PREFIX))
    const offsets = await this.#options.state.getMany(moved)
    const before = this.memory.figures.totalEvents
    const shoppers = await this.memory.follow(keys)
    this.eventRate.add(Math.max(0, this.memory.figures.totalEvents - before), this.#options.now())
    for (const [i, key] of moved.entries())
      if (offsets[i] !== undefined)
        this.applied.set(Number(key.slice(OFFSET_PREFIX.length)), offsets[i] as number)
    this.listeners.announce(shoppers)
  }

  #follow(signal: AbortSignal): Promise<void> {
    const { log, topic, onFault = () => {}, retryMs = RETRY_MS } = this.#options
    return followLog({
      log,
      topic,
      from: () => {
        this.#followed = this.#restores
        return new Map(this.applied)
      },
      maxRecords: BATCH_RECORDS,
      retryMs,
      signal,
      onBatch: (batch) => this.#applyBatch(batch, signal),
      pauseMs: this.#pace.msMin,
      onPause: () => this.#attempt(() => this.#store()),
      onFault,
      recover: async () => {
        if (await this.#leadership.check()) await this.#turns.take(async () => {})
      },
    })
  }

  /** Applies a batch in as many parts as it takes; false when the log is to be read again from what is applied now. */
  async #applyBatch(batch: LogBatch, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && (this.applied.get(batch.partition) ?? 0) < batch.nextOffset)
      if (!(await this.#attempt(() => this.#applyPart(batch)))) return false
    return true
  }

  /**
   * Takes a turn for work on what was read; false when memory has been taken back to what is stored since then, so that the
   * log is to be read from there. Throws what may pass, like a store that is away.
   */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      return await this.#turns.take(async () => {
        if (this.#followed !== this.#restores) return false
        await work()
        return true
      })
    } catch (error) {
      if (!(error instanceof UnusableEntries)) throw error
      const verdict = this.#poison.failed(error.count, error.at)
      if (verdict.kind === 'reject') await this.#turns.take(() => this.#reject(error))
      return false
    }
  }

  async #applyPart(batch: LogBatch): Promise<void> {
    this.#storing.check()
    const { partition } = batch
    const count = Math.min(this.#poison.limit, this.#behind > 0 ? BATCH_RECORDS : SERVING_RECORDS)
    const part = partOf(batch, this.applied.get(partition) ?? 0, count)
    const fresh = await this.memory.load(this.#decode(part), partition)
    const pacer = new Pacer()
    for (const { event, offset } of fresh) {
      if (pacer.isDue()) await pacer.pause()
      try {
        this.memory.apply(event, { partition, offset })
      } catch (error) {
        throw new UnusableEntries(error, [part], offset)
      }
    }
    this.#unstored.push(part)
    for (const { event, offset } of fresh)
      this.#unstoredIds.add(event.event_id, { partition, offset, receivedAtMs: event.received_at })
    this.eventRate.add(fresh.length, this.#options.now())
    this.#isApplied(
      part,
      fresh.map(({ event }) => shopperOf(event)),
    )
    await this.#storeIfDue()
    this.#poison.succeeded()
  }

  /** Passes over the one entry that stands alone, once it is durable among the rejected. */
  async #reject({ parts, message, cause }: UnusableEntries): Promise<void> {
    const [part] = parts
    const [entry] = part?.entries ?? []
    if (part === undefined || entry === undefined) return
    const { topic, partition } = part
    const reason = `live state could not take it in: ${message}`
    const change = await this.#rejections.add({ topic, partition, entry, reason })
    this.#isApplied(part, [])
    await this.#commit([change])
    this.#options.onPoison?.(part, entry.offset, cause)
  }

  #isApplied(batch: LogBatch, shoppers: readonly string[]): void {
    this.applied.set(batch.partition, batch.nextOffset)
    this.listeners.announce(shoppers)
  }

  #decode(batch: LogBatch): { event: ShopEvent; offset: number }[] {
    const { isRemoved = () => false } = this.#options
    const { partition } = batch
    const decoded: { event: ShopEvent; offset: number }[] = []
    for (const entry of batch.entries) {
      const { offset } = entry
      try {
        const event = decodeEvent(entry, batch)
        if (!isRemoved(shopperOf(event), { partition, offset })) decoded.push({ event, offset })
      } catch (error) {
        this.#options.onPoison?.(batch, entry.offset, error)
      }
    }
    return decoded
  }

  /**
   * Stores while the next batches are applied. While an entry is searched for that makes work fail, each part is stored by
   * itself.
   */
  async #storeIfDue(): Promise<void> {
    if (this.#poison.isSearching) return this.#store()
    if (entryCountOf(this.#unstored) >= this.#pace.aheadRecords) await this.#storing.done()
    if (!this.#storing.isBusy && this.#isStoringDue()) this.#beginStoring()
  }

  #isStoringDue(): boolean {
    const { msMin, msMax, changes, aheadRecords } = this.#pace
    const passedMs = this.#steadyMs() - this.#storedAtMs
    // Whoever follows sees no event before it is stored.
    const isFollowed = (this.#options.state.sharing?.followerCount ?? 0) > 0
    if (passedMs >= (isFollowed ? msMin : msMax) || entryCountOf(this.#unstored) >= aheadRecords) return true
    return passedMs >= msMin && this.memory.changeCount >= changes
  }

  /** Stores all that is applied; resolves when it is. */
  async #store(): Promise<void> {
    await this.#storing.done()
    this.#beginStoring()
    await this.#storing.done()
  }

  #beginStoring(): void {
    const parts = this.#unstored
    if (parts.length === 0) return
    this.#storing.begin(() =>
      this.#commit().catch((error: unknown) => {
        throw isUnstorable(error) ? new UnusableEntries(error, parts, null) : error
      }),
    )
  }

  /** Everything that changed, in one commit with the offsets it stands for and `more`. */
  async #commit(more: readonly StateChange[] = []): Promise<void> {
    const moved = [...this.applied].filter(([partition, offset]) => this.#stored.get(partition) !== offset)
    const offsets = moved.map(([partition, value]) => ({ key: OFFSET_PREFIX + partition, value }))
    this.#unstored = []
    this.#storedAtMs = this.#steadyMs()
    await this.#options.state.commit([...this.memory.drain(), ...offsets, ...more])
    for (const [partition, offset] of moved) this.#stored.set(partition, offset)
    this.#unstoredIds.areStored(this.#stored)
    this.#lagTimer ??= setTimeout(() => void this.#commitLag(), LAG_COMMIT_MS)
  }

  /** Takes the stored state for the truth: at start, and after a commit that failed. */
  async #restore(): Promise<void> {
    // Whatever became of a commit that was under way, the store says it.
    await this.#storing.done().catch(() => {})
    const { state, log, topic } = this.#options
    const { partitions } = await log.topic(topic)
    // Before what they stand for: another process may go on with both.
    const offsets: unknown[] = []
    for (const { partition } of partitions) offsets.push(await state.get(OFFSET_PREFIX + partition))
    await this.memory.restore()
    for (const [i, { partition, startOffset }] of partitions.entries()) {
      const stored = offsets[i] as number | undefined
      this.applied.set(partition, stored ?? startOffset)
      this.#stored.set(partition, stored ?? startOffset)
    }
    this.#unstored = []
    this.#restores += 1
  }

  async #commitLag(): Promise<void> {
    const { log, topic } = this.#options
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer)
    this.#lagTimer = null
    await log.commit(LIVE_GROUP, topic, new Map(this.#stored)).catch(() => {
      // Only shown as lag: the offsets that count are in the state store.
    })
  }
}
