import type { EventLog, LogBatch } from '@arus/event-log'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import { GROUPS } from '../events/topics.ts'
import { Pacer } from '../pacer.ts'
import type { StateStore } from '../state/state-store.ts'
import { CatchUp } from './catch-up.ts'
import { decodeEvent } from './decode-event.ts'
import { followLog, partOf } from './follow-log.ts'
import { Leadership } from './leadership.ts'
import { keysOf, LIVE_PREFIX, LiveMemory, type ShopperTraces } from './live-memory.ts'
import { LiveReads } from './live-reads.ts'
import { DEFAULT_LIVE_RULES, type LiveRules } from './live-rules.ts'
import type { LiveAnalytics, LiveState } from './live-state.ts'
import { PoisonWatch, UnusableEntries } from './poison-watch.ts'
import { Rejections } from './rejections.ts'
import { StateFollower } from './state-follower.ts'
import { StateWriter } from './state-writer.ts'
import { DEFAULT_STORE_PACE, type StorePace } from './store-pace.ts'
import { FORMAT, FORMAT_KEY, OFFSET_PREFIX } from './stored-form.ts'
import { Turns } from './turns.ts'

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
  readonly #poison = new PoisonWatch(BATCH_RECORDS)
  readonly #rejections: Rejections
  /** Batches and forgetting; memory that is ahead of the store is brought back to what is stored. */
  readonly #turns = new Turns(() => this.#restore())
  readonly #catchUp: CatchUp
  readonly #writer: StateWriter
  /** How often memory was taken back to what is stored, and how often it had been when the log began to be read. */
  #restores = 0
  #followed = 0
  #abort = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  readonly #leadership: Leadership
  /** Settled once memory holds what was stored. */
  #begun = Promise.withResolvers<void>()
  /** Set while there is progress the log has not been told of. */
  #lagTimer: NodeJS.Timeout | null = null

  constructor(options: LiveProcessorOptions) {
    const { rules = DEFAULT_LIVE_RULES, categoryOf = () => null } = options
    super(new LiveMemory({ ...options, rules, categoryOf }), options.now)
    this.#options = options
    this.#pace = options.pace ?? DEFAULT_STORE_PACE
    this.#rejections = new Rejections({ ...options, topic: options.rejectedTopic })
    const { state, onFault = () => {}, retryMs = RETRY_MS, catchUpMsMax: msMax = CATCH_UP_MS_MAX } = options
    const { memory, applied, eventRate, listeners } = this
    const { steadyMs = () => performance.now() } = options
    const onStored = () => {
      this.#lagTimer ??= setTimeout(() => void this.#commitLag(), LAG_COMMIT_MS)
    }
    this.#writer = new StateWriter({ state, memory, applied, pace: this.#pace, steadyMs, onStored })
    const waitFor = this.waitFor.bind(this)
    this.#catchUp = new CatchUp({ ...options, applied, waitFor, msMax, onFault })
    const restore = () => this.#restore()
    const follower = new StateFollower({ ...options, memory, applied, eventRate, listeners, restore })
    this.#leadership = new Leadership({
      sharing: state.sharing,
      lead: (signal) => this.#lead(signal),
      restore: async () => {
        await this.#turns.take(() => follower.restore())
        this.#begun.resolve()
      },
      follow: (keys) => this.#turns.take(() => follower.follow(keys)),
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
    await this.#catchUp.wait()
  }

  /** Leads or follows from now on; resolves when memory holds what was stored. */
  async #begin(): Promise<void> {
    await this.#catchUp.begin()
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

  flush(): Promise<void> {
    return this.#turns.take(() => this.#writer.store())
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
    const unstoredAtMs = eventIds.map((id) => this.#writer.ids.receivedAtMs(id))
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
      await this.#writer.done().catch(() => this.#restore())
      let removed = 0
      let isKnown = false
      for (const name of shoppers) {
        const items = await this.memory.forget(name)
        removed += items ?? 0
        isKnown ||= items !== null
      }
      if (!isKnown && traces === undefined) return 0
      this.memory.forgetTraces(traces ?? {})
      this.#writer.ids.forget(traces?.eventIds ?? [])
      await this.#writer.commit()
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
    await this.#writer.done().catch(() => {})
    await this.#begin()
    while (!(await this.#catchUp.wait()) && !this.#abort.signal.aborted);
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
      onPause: (came) => this.#storeUntil(came),
      onFault,
      recover: async () => {
        if (await this.#leadership.check()) await this.#turns.take(async () => {})
      },
    })
  }

  /** Stores what is applied, and leaves off when more comes, which waits for no disk. False as for a batch. */
  async #storeUntil(came: Promise<void>): Promise<boolean> {
    const more = came.then(() => true)
    for (;;) {
      let isStoring = false
      const begin = async () => {
        isStoring = this.#writer.beginIfIdle()
      }
      if (!(await this.#attempt(begin))) return false
      if (!isStoring || (await Promise.race([more, this.#writer.idle().then(() => false)]))) return true
    }
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
    this.#writer.check()
    const { partition } = batch
    const count = Math.min(this.#poison.limit, this.#catchUp.behind > 0 ? BATCH_RECORDS : SERVING_RECORDS)
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
    this.#writer.add(part, fresh)
    this.eventRate.add(fresh.length, this.#options.now())
    this.#isApplied(
      part,
      fresh.map(({ event }) => shopperOf(event)),
    )
    // While an entry is searched for that makes work fail, each part is stored by itself.
    await (this.#poison.isSearching ? this.#writer.store() : this.#writer.storeIfDue())
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
    await this.#writer.commit([change])
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

  /** Takes the stored state for the truth: at start, and after a commit that failed. */
  async #restore(): Promise<void> {
    // Whatever became of a commit that was under way, the store says it.
    await this.#writer.done().catch(() => {})
    const { state, log, topic } = this.#options
    const { partitions } = await log.topic(topic)
    // Before what they stand for: another process may go on with both.
    const offsets: unknown[] = []
    for (const { partition } of partitions) offsets.push(await state.get(OFFSET_PREFIX + partition))
    await this.memory.restore()
    for (const [i, { partition, startOffset }] of partitions.entries()) {
      const stored = offsets[i] as number | undefined
      this.applied.set(partition, stored ?? startOffset)
    }
    this.#writer.restored(this.applied)
    this.#restores += 1
  }

  async #commitLag(): Promise<void> {
    const { log, topic } = this.#options
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer)
    this.#lagTimer = null
    await log.commit(LIVE_GROUP, topic, new Map(this.#writer.stored)).catch(() => {
      // Only shown as lag: the offsets that count are in the state store.
    })
  }
}
