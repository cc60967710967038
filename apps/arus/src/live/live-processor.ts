import type { EventLog, LogBatch } from '@arus/event-log'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import { GROUPS } from '../events/topics.ts'
import { Pacer } from '../pacer.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { decodeEvent } from './decode-event.ts'
import { followLog, partOf } from './follow-log.ts'
import { keysOf, LIVE_PREFIX, LiveMemory, type ShopperTraces } from './live-memory.ts'
import { LiveReads } from './live-reads.ts'
import { DEFAULT_LIVE_RULES, type LiveRules } from './live-rules.ts'
import type { LiveAnalytics, LiveState } from './live-state.ts'
import { isUnstorable, PoisonWatch, UnusableEntries } from './poison-watch.ts'
import { Rejections } from './rejections.ts'
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
  /** Category of a product, for the counters of categories; null when it has none. Absent: no categories. */
  readonly categoryOf?: (productId: string) => string | null
  /** An event_id seen again within this time has no effect. */
  readonly idempotencyWindowMs: number
  /**
   * Told of entries that are passed over: those that are no events, which the lake rejects by itself, and those whose
   * processing failed again and again, which have gone to the rejected topic.
   */
  readonly onPoison?: (batch: LogBatch, offset: number, error: unknown) => void
  /** Told of a batch that could not be committed; it is applied again from the stored state. */
  readonly onFault?: (error: unknown) => void
  /** Wait after a fault before going on, doubled with each one in a row. Default 500. */
  readonly retryMs?: number
}

/** The stream processors, running. */
export interface LiveProcessor extends LiveState {
  /** Which of the ids were applied within the idempotency window. */
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
   * rebuild that was cut short is begun again at the next start.
   */
  rebuild(): Promise<void>
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

/** Restores what was stored, then applies the log until stopped; resolves when it has caught up with the log's end. */
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
  await options.state.commit([{ key: FORMAT_KEY, value: undefined }])
  const processor = await startLiveProcessor(options)
  await processor.stop()
  return processor.analytics()
}

/**
 * One loop over all partitions. Each batch changes values in memory and commits them together with the offset they
 * stand for and the ids of its events, so that every event counts once in effect, whenever the process dies.
 */
class StreamProcessor extends LiveReads implements LiveProcessor {
  readonly #options: LiveProcessorOptions
  readonly #poison = new PoisonWatch(BATCH_RECORDS)
  readonly #rejections: Rejections
  /** Batches and forgetting; memory that is ahead of the store is brought back to what is stored. */
  readonly #turns = new Turns(() => this.#restore())
  #partRecords = BATCH_RECORDS
  #abort = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  /** Set while there is progress the log has not been told of. */
  #lagTimer: NodeJS.Timeout | null = null

  constructor(options: LiveProcessorOptions) {
    const { rules = DEFAULT_LIVE_RULES, categoryOf = () => null } = options
    super(new LiveMemory({ ...options, rules, categoryOf }), options.now)
    this.#options = options
    this.#rejections = new Rejections({ ...options, topic: options.rejectedTopic })
  }

  async start(): Promise<void> {
    await this.#clearOtherState()
    await this.#restore()
    this.#abort = new AbortController()
    this.#loop = this.#follow(this.#abort.signal)
    const { partitions } = await this.#options.log.topic(this.#options.topic)
    await Promise.all(
      partitions.map(({ partition, endOffset }) => this.waitFor(partition, endOffset - 1, 600_000)),
    )
    this.#partRecords = SERVING_RECORDS
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#loop
    await this.#turns.idle()
    await this.#commitLag()
  }

  isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    return this.memory.isKnown(eventIds)
  }

  forget(shopper: string, traces?: ShopperTraces): Promise<number> {
    const shoppers = [...new Set([shopper, ...(traces?.names ?? [])])]
    return this.#turns.take(async () => {
      let removed = 0
      let isKnown = false
      for (const name of shoppers) {
        const items = await this.memory.forget(name)
        removed += items ?? 0
        isKnown ||= items !== null
      }
      if (!isKnown && traces === undefined) return 0
      this.memory.forgetTraces(traces ?? {})
      await this.#commit([])
      if (traces !== undefined) await this.#options.state.erase(keysOf(shoppers, traces))
      this.listeners.announce(shoppers)
      return removed
    })
  }

  async rebuild(): Promise<void> {
    await this.#options.state.commit([{ key: FORMAT_KEY, value: undefined }])
    this.#abort.abort()
    await this.#loop
    await this.#turns.idle()
    this.#partRecords = BATCH_RECORDS
    await this.start()
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

  #follow(signal: AbortSignal): Promise<void> {
    const { log, topic, onFault = () => {}, retryMs = RETRY_MS } = this.#options
    return followLog({
      log,
      topic,
      from: this.applied,
      maxRecords: BATCH_RECORDS,
      retryMs,
      signal,
      onBatch: (batch) => this.#applyBatch(batch, signal),
      onFault,
      recover: () => this.#turns.take(async () => {}),
    })
  }

  /** Applies a batch in as many commits as it takes; throws what may pass, like a store that is away. */
  async #applyBatch(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const { partition, nextOffset } = batch
    while (!signal.aborted && (this.applied.get(partition) ?? 0) < nextOffset) {
      const part = partOf(
        batch,
        this.applied.get(partition) ?? 0,
        Math.min(this.#poison.limit, this.#partRecords),
      )
      try {
        await this.#turns.take(() => this.#applyPart(part))
        this.#poison.succeeded()
      } catch (error) {
        if (!(error instanceof UnusableEntries)) throw error
        const at = part.entries.findIndex(({ offset }) => offset === error.offset)
        if (this.#poison.failed(part.entries.length, at < 0 ? null : at).kind === 'reject')
          await this.#turns.take(() => this.#reject(part, error))
      }
    }
  }

  async #applyPart(batch: LogBatch): Promise<void> {
    const fresh = await this.memory.load(this.#decode(batch), batch.partition)
    const pacer = new Pacer()
    for (const { event, offset } of fresh) {
      if (pacer.isDue()) await pacer.pause()
      try {
        this.memory.apply(event, { partition: batch.partition, offset })
      } catch (error) {
        throw new UnusableEntries(error, offset)
      }
    }
    await this.#commit([offsetOf(batch)]).catch((error: unknown) => {
      throw isUnstorable(error) ? new UnusableEntries(error, null) : error
    })
    this.eventRate.add(fresh.length, this.#options.now())
    this.#isApplied(
      batch,
      fresh.map(({ event }) => shopperOf(event)),
    )
  }

  /** Passes over the one entry of the batch, once it is durable among the rejected. */
  async #reject(batch: LogBatch, error: UnusableEntries): Promise<void> {
    const { topic, partition } = batch
    const [entry] = batch.entries
    if (entry !== undefined) {
      const reason = `live state could not take it in: ${error.message}`
      const change = await this.#rejections.add({ topic, partition, entry, reason })
      await this.#commit([change, offsetOf(batch)])
      this.#options.onPoison?.(batch, entry.offset, error.cause)
    }
    this.#isApplied(batch, [])
  }

  #isApplied(batch: LogBatch, shoppers: readonly string[]): void {
    this.applied.set(batch.partition, batch.nextOffset)
    this.listeners.announce(shoppers)
    this.#lagTimer ??= setTimeout(() => void this.#commitLag(), LAG_COMMIT_MS)
  }

  #decode(batch: LogBatch): { event: ShopEvent; offset: number }[] {
    const decoded: { event: ShopEvent; offset: number }[] = []
    for (const entry of batch.entries) {
      try {
        decoded.push({ event: decodeEvent(entry), offset: entry.offset })
      } catch (error) {
        this.#options.onPoison?.(batch, entry.offset, error)
      }
    }
    return decoded
  }

  /** Everything that changed, in one commit with `more`. */
  #commit(more: readonly StateChange[]): Promise<void> {
    return this.#options.state.commit([...this.memory.drain(), ...more])
  }

  /** Takes the stored state for the truth: at start, and after a commit that failed. */
  async #restore(): Promise<void> {
    const { state, log, topic } = this.#options
    await this.memory.restore()
    const { partitions } = await log.topic(topic)
    for (const { partition, startOffset } of partitions) {
      const stored = (await state.get(OFFSET_PREFIX + partition)) as number | undefined
      this.applied.set(partition, stored ?? startOffset)
    }
  }

  async #commitLag(): Promise<void> {
    const { log, topic } = this.#options
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer)
    this.#lagTimer = null
    await log.commit(LIVE_GROUP, topic, new Map(this.applied)).catch(() => {
      // Only shown as lag: the offsets that count are in the state store.
    })
  }
}

function offsetOf({ partition, nextOffset }: LogBatch): StateChange {
  return { key: OFFSET_PREFIX + partition, value: nextOffset }
}
