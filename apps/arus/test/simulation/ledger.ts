import type { IngestResult } from '../../src/events/ingest.ts'
import type { SentEvent } from './client.ts'
import type { LogContent } from './memory-log.ts'
import type { Plan } from './plan.ts'
import { TOPICS } from './simulated-arus.ts'

/** What clients sent and were told, and what was wrong with an answer when it came. */
export class Ledger {
  readonly wrong: string[] = []
  /** Every event that was sent, by id, in the order in which its client sent it. */
  readonly events = new Map<string, SentEvent>()
  readonly acknowledgedIds = new Set<string>()
  readonly #log: LogContent
  readonly #inLog = new Set<string>()
  readonly #read = new Map<number, number>()

  readonly #hasSecond: boolean

  constructor(log: LogContent, { hasSecond }: Plan) {
    this.#log = log
    this.#hasSecond = hasSecond
  }

  sent(events: readonly SentEvent[]): void {
    for (const event of events) this.events.set(event.event_id, event)
  }

  /** At this moment all must stand in the log. */
  acknowledged(events: readonly SentEvent[], { accepted, duplicates, rejected }: IngestResult): void {
    this.#readOn()
    for (const event of events.filter(isValid)) {
      this.acknowledgedIds.add(event.event_id)
      if (!this.#inLog.has(event.event_id))
        this.wrong.push(`${event.event_id} was acknowledged and is not in the log`)
    }
    const invalid = events.filter((event) => !isValid(event)).length
    if (accepted + duplicates + rejected !== events.length || rejected !== invalid)
      this.wrong.push(
        `of ${events.length} events, ${invalid} invalid: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected`,
      )
  }

  /** An answer to what had been acknowledged before: nothing of it may be new, but to a server that has not heard of it yet. */
  repeated(events: readonly SentEvent[], { accepted }: IngestResult): void {
    if (accepted > 0 && !this.#hasSecond && !events.some(isPoison))
      this.wrong.push(`${accepted} of ${events.map(({ event_id }) => event_id)} were accepted again`)
  }

  #readOn(): void {
    for (const [partition, entries] of (this.#log.topics.get(TOPICS.events) ?? []).entries()) {
      for (const { value } of entries.slice(this.#read.get(partition) ?? 0))
        this.#inLog.add(JSON.parse(Buffer.from(value).toString()).event_id)
      this.#read.set(partition, entries.length)
    }
  }
}

export function isValid({ action }: SentEvent): boolean {
  return action !== 'NOT AN ACTION'
}

/** Worth more than can be added up: in the log and in bronze, and rejected by live state. */
export function isPoison({ price }: SentEvent): boolean {
  return Number(price) >= 1e12
}
