import { randomFillSync } from 'node:crypto'
import type { EventLog, LogRecord } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import { risingIds } from '../rising-ids.ts'
import { type ShopEvent, shopperOf } from './event.ts'
import { parseEvent } from './event-schema.ts'
import type { EventError, Ingest, IngestResult } from './ingest.ts'
import { RecentIds } from './recent-ids.ts'
import type { Refusal } from './refusal.ts'
import type { TopicNames } from './topics.ts'

export interface IngestOptions {
  readonly log: EventLog
  readonly topics: TopicNames
  /** Which ids were applied before, within the idempotency window. */
  readonly isKnown: (eventIds: readonly string[]) => Promise<boolean[]>
  readonly now: () => number
  /** Events waiting for the log at most, over all requests. Default 100,000. */
  readonly inFlightMax?: number
  readonly newId?: () => string
}

const ERRORS_MAX = 100
const RATE_SECONDS = 10
const RECENT_IDS = 200_000
const RAW_LENGTH_MAX = 16_384

/** Takes events in by way of the log. */
export function createIngest(options: IngestOptions): LogIngest {
  return new LogIngest(options)
}

/** Ingest by way of the log; knows the ids it took in lately. */
class LogIngest implements Ingest {
  readonly #options: IngestOptions
  readonly #newId: () => string
  readonly #recent = new RecentIds(RECENT_IDS)
  readonly #seconds = new Map<number, number>()
  #inFlight = 0

  constructor(options: IngestOptions) {
    this.#options = options
    this.#newId = options.newId ?? risingIds({ now: options.now, fillRandom: randomFillSync })
  }

  async accept(events: readonly unknown[]): Promise<IngestResult> {
    const { inFlightMax = 100_000 } = this.#options
    if (this.#inFlight + events.length > inFlightMax) {
      throw new ArusError(
        'INGEST_OVERLOADED',
        `${this.#inFlight} events are waiting to be written; send these again in a moment`,
      )
    }
    this.#inFlight += events.length
    try {
      return await this.#accept(events)
    } catch (error) {
      throw toldAsNotNow(error)
    } finally {
      this.#inFlight -= events.length
    }
  }

  forgetIds(eventIds: readonly string[]): void {
    this.#recent.forget(eventIds)
  }

  eventsPerSecond(): number {
    const second = Math.floor(this.#options.now() / 1000)
    let total = 0
    for (const [at, count] of this.#seconds) {
      if (at <= second - RATE_SECONDS) this.#seconds.delete(at)
      else total += count
    }
    return total / RATE_SECONDS
  }

  async #accept(raw: readonly unknown[]): Promise<IngestResult> {
    const nowMs = this.#options.now()
    const valid: ShopEvent[] = []
    const refused: { index: number; refusal: Refusal; raw: unknown }[] = []
    for (const [index, one] of raw.entries()) {
      const parsed = parseEvent(one, { nowMs, newId: this.#newId })
      if (parsed.kind === 'event') valid.push(parsed.event)
      else refused.push({ index, refusal: parsed.refusal, raw: one })
    }
    const [accepted] = await Promise.all([this.#append(valid), this.#keepRefused(refused, nowMs)])
    this.#count(accepted, nowMs)
    return {
      accepted,
      duplicates: valid.length - accepted,
      rejected: refused.length,
      errors: refused.slice(0, ERRORS_MAX).map(({ index, refusal }): EventError => ({ index, ...refusal })),
    }
  }

  /**
   * Appends those not seen before; resolves with how many. Where another request is writing some of them, as when a sender
   * tries again in other batches, they come first: so a duplicate is answered only once its first is durable, and the rest
   * does not stand before it, nor at all when it failed.
   */
  async #append(events: readonly ShopEvent[]): Promise<number> {
    if (events.length === 0) return 0
    const { log, topics, isKnown } = this.#options
    const { claimed, others, settle, release } = this.#recent.claim(events.map(({ event_id }) => event_id))
    const mine = claimed.length === events.length ? events : claimed.map((i) => events[i]!)
    try {
      await others
      const known = await isKnown(mine.map(({ event_id }) => event_id))
      const fresh = mine.filter((_, i) => !known[i])
      if (fresh.length > 0) await log.append(topics.events, fresh.map(recordOf))
      settle()
      return fresh.length
    } catch (error) {
      release(error)
      throw error
    }
  }

  async #keepRefused(
    refused: readonly { readonly refusal: Refusal; readonly raw: unknown }[],
    nowMs: number,
  ): Promise<void> {
    if (refused.length === 0) return
    const { log, topics } = this.#options
    await log.append(
      topics.rejected,
      refused.map(({ refusal, raw }) => ({
        key: null,
        timestampMs: nowMs,
        value: Buffer.from(JSON.stringify({ raw: rawText(raw), ...refusal, received_at: nowMs })),
      })),
    )
  }

  #count(accepted: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + accepted)
  }
}

/** A log that is full, or away, is one to send to again. */
function toldAsNotNow(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  if (error.code === 'LOG_FULL')
    return new ArusError('INGEST_OVERLOADED', `The log cannot take more: ${error.message}`, { cause: error })
  if (error.code === 'LOG_UNAVAILABLE')
    return new ArusError('NOT_READY', 'The event log does not answer now; send these again in a moment', {
      cause: error,
    })
  return error
}

function recordOf(event: ShopEvent): LogRecord {
  // Only properties may hold one, and a text made with a function of ours takes several times as long.
  const text = event.properties === null ? JSON.stringify(event) : JSON.stringify(event, bigintAsText)
  const value = Buffer.from(text)
  return { key: shopperOf(event), timestampMs: event.received_at, value }
}

function rawText(raw: unknown): string {
  return (JSON.stringify(raw, bigintAsText) ?? String(raw)).slice(0, RAW_LENGTH_MAX)
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
