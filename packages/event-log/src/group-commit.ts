import { BlockWriter } from './block-writer.ts'
import { EventLogError } from './errors.ts'
import type { LogRecord, RecordPosition } from './event-log.ts'
import type { LmdbStore } from './lmdb-store.ts'

interface PendingAppend {
  readonly topic: string
  readonly records: readonly LogRecord[]
  readonly done: PromiseWithResolvers<RecordPosition[]>
}

/** Records written in one transaction at most: bounds the time the write lock is held. */
const COMMIT_RECORDS_MAX = 20_000

/** Appends that are waiting are written in one transaction and share its sync to disk; the next group gathers meanwhile. */
export class GroupCommit {
  readonly #store: LmdbStore
  readonly #onCommit: () => void
  #queue: PendingAppend[] = []
  #writing: Promise<void> | null = null

  constructor(store: LmdbStore, onCommit: () => void) {
    this.#store = store
    this.#onCommit = onCommit
  }

  append(topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    const done = Promise.withResolvers<RecordPosition[]>()
    this.#queue.push({ topic, records, done })
    this.#writing ??= this.#writeQueued().finally(() => {
      this.#writing = null
    })
    return done.promise
  }

  /** Resolves when nothing is waiting. */
  async drained(): Promise<void> {
    await this.#writing
  }

  async #writeQueued(): Promise<void> {
    // Waits for the rest of this turn's appends, so that they share the first commit too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const group = this.#nextGroup()
      try {
        const positions = await this.#store.write(() => this.#write(group))
        this.#onCommit()
        for (const [i, append] of group.entries()) append.done.resolve(positions[i] ?? [])
      } catch (error) {
        const failure = failureOf(error, this.#store)
        for (const append of group) append.done.reject(failure)
      }
    }
  }

  #write(group: readonly PendingAppend[]): RecordPosition[][] {
    const writer = new BlockWriter(this.#store)
    const positions = group.map(({ topic, records }) => writer.append(topic, records))
    writer.finish()
    return positions
  }

  #nextGroup(): PendingAppend[] {
    let records = 0
    let count = 0
    while (count < this.#queue.length && records < COMMIT_RECORDS_MAX)
      records += this.#queue[count++]!.records.length
    return this.#queue.splice(0, count)
  }
}

function failureOf(error: unknown, store: LmdbStore): EventLogError {
  const message = error instanceof Error ? error.message : String(error)
  const isFull =
    /MDB_MAP_FULL|ENOSPC|No space left/.test(message) ||
    (/Input\/output error/.test(message) && store.isDiskFull)
  return new EventLogError(
    isFull ? 'LOG_FULL' : 'LOG_WRITE_FAILED',
    isFull
      ? `The log has no room left (${message}); make room on the disk or shorten the retention, then send again`
      : `The append could not be committed (${message}); it may have been written, so send again with the same ids`,
    error,
  )
}
