import type { EventLog, LogRecord } from '@arus/event-log'
import type { Passport } from './passport.ts'
import { passportText } from './passport-text.ts'

export interface ExposureLogOptions {
  readonly log: Pick<EventLog, 'append'>
  readonly topic: string
  /** Told when a batch could not be written; its passports are lost and counted. */
  readonly onFault?: (error: unknown) => void
  /** Passports waiting at most; more are dropped and counted. Default 20,000. */
  readonly queueLimit?: number
  /** Passports of one append. Default 1,000. */
  readonly batchLimit?: number
  /** Wait for more before an append. Default 20. */
  readonly lingerMs?: number
}

const encoder = new TextEncoder()

/**
 * Writes passports to the log behind the back of requests: `add` never waits. One append runs at a time; when the
 * log is slower than the answers, the newest passports are dropped and counted rather than slowing requests down.
 */
export class ExposureLog {
  readonly #options: ExposureLogOptions
  readonly #queueLimit: number
  readonly #batchLimit: number
  readonly #lingerMs: number
  #queue: Passport[] = []
  #writing: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #isClosed = false
  #droppedCount = 0
  #writtenCount = 0

  constructor(options: ExposureLogOptions) {
    this.#options = options
    this.#queueLimit = options.queueLimit ?? 20_000
    this.#batchLimit = options.batchLimit ?? 1_000
    this.#lingerMs = options.lingerMs ?? 20
  }

  /** Passports not written because the queue was full, the log failed, or it was closed. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  get writtenCount(): number {
    return this.#writtenCount
  }

  add(passport: Passport): void {
    if (this.#isClosed || this.#queue.length >= this.#queueLimit) {
      this.#droppedCount += 1
      return
    }
    this.#queue.push(passport)
    if (this.#writing === null && this.#timer === null) {
      this.#timer = setTimeout(() => void this.flush(), this.#lingerMs)
    }
  }

  /** A passport that is not in the log yet. */
  waiting(recommendationId: string): Passport | undefined {
    return this.#queue.find((passport) => passport.recommendation_id === recommendationId)
  }

  /** Resolves when all that was added before has been written or dropped. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
    await this.#writing
  }

  /** Writes what is waiting and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.flush()
    await this.flush()
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, this.#batchLimit)
      try {
        await this.#options.log.append(this.#options.topic, batch.map(recordOf))
        this.#writtenCount += batch.length
      } catch (error) {
        this.#droppedCount += batch.length
        this.#options.onFault?.(error)
      }
      this.#queue = this.#queue.slice(batch.length)
    }
  }
}

function recordOf(passport: Passport): LogRecord {
  return {
    key: passport.user_id ?? passport.session_id ?? passport.recommendation_id,
    value: encoder.encode(passportText(passport)),
    timestampMs: passport.generated_at,
  }
}
