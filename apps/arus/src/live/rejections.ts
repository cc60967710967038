import type { EventLog, LogEntry } from '@arus/event-log'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { rawOf } from './decode-event.ts'

/** Outside the prefix of live state: a rebuild does not reject the same entry into the topic again. */
const PREFIX = 'live-rejected/'
const KEPT_MS = 365 * 86_400_000
const RAW_LENGTH_MAX = 16_384

export interface RejectionsOptions {
  readonly log: EventLog
  /** Topic of rejected events, from which the lake copies into `bronze.rejected_events`. */
  readonly topic: string
  readonly state: StateStore
  readonly now: () => number
}

interface Rejected {
  readonly topic: string
  readonly partition: number
  readonly entry: LogEntry
  readonly reason: string
}

/** Entries of the events topic that processing gave up: written to the rejected topic, with their place and the reason. */
export class Rejections {
  readonly #options: RejectionsOptions

  constructor(options: RejectionsOptions) {
    this.#options = options
  }

  /**
   * Resolves when the entry is durable in the rejected topic, with the change that remembers it; to be committed with the
   * offset. A crash between the two writes it twice, with the same place.
   */
  async add({ topic, partition, entry, reason }: Rejected): Promise<StateChange> {
    const { log, state, now } = this.#options
    const key = `${PREFIX}${partition}/${entry.offset}`
    const received_at = now()
    if ((await state.get(key)) === undefined) {
      const place = { topic, partition, offset: entry.offset }
      const body = { raw: rawOf(entry).slice(0, RAW_LENGTH_MAX), pointer: '', reason, received_at, place }
      const value = Buffer.from(JSON.stringify(body))
      await log.append(this.#options.topic, [{ key: null, value, timestampMs: received_at }])
    }
    // The reason may quote the entry, and is in the topic.
    return { key, value: 1, expiresAtMs: received_at + KEPT_MS }
  }
}
