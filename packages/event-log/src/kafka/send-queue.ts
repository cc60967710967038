import { ProduceAcks, Producer } from '@platformatic/kafka'
import { EventLogError } from '../errors.ts'
import type { LogRecord, RecordPosition } from '../event-log.ts'
import { clientOptions, type KafkaConnection } from './kafka-client.ts'
import { kafkaFailure } from './kafka-errors.ts'

/** A record whose partition has been chosen. */
export interface PlacedRecord {
  readonly partition: number
  readonly record: LogRecord
}

interface PendingAppend {
  readonly topic: string
  readonly records: readonly PlacedRecord[]
  readonly positions: RecordPosition[]
  /** Records that are part of a send already. */
  taken: number
  readonly done: PromiseWithResolvers<RecordPosition[]>
}

interface Taken extends PlacedRecord {
  readonly append: PendingAppend
}

/** Records of one send at most, and bytes of one partition in it: a send is one batch a partition, which brokers bound. */
const SEND_RECORDS_MAX = 20_000
const BATCH_BYTES_MAX = 900_000
/** More than what a record takes beside its key and value. */
const RECORD_OVERHEAD_BYTES = 40

/**
 * Appends that are waiting share a send, and the next group gathers while it is under way: an idempotent producer keeps its
 * order only with one send at a time. The library tries a send again under the same sequence numbers, so what was written
 * twice counts once.
 */
export class SendQueue {
  readonly #producer: Producer
  readonly #where: string
  #queue: PendingAppend[] = []
  #sending: Promise<void> | null = null

  constructor(connection: KafkaConnection) {
    this.#producer = new Producer({ ...clientOptions(connection), idempotent: true })
    this.#where = connection.servers.join(',')
  }

  append(topic: string, records: readonly PlacedRecord[]): Promise<RecordPosition[]> {
    const done = Promise.withResolvers<RecordPosition[]>()
    this.#queue.push({ topic, records, positions: [], taken: 0, done })
    this.#sending ??= this.#sendQueued().finally(() => {
      this.#sending = null
    })
    return done.promise
  }

  /** Waits for what was appended, then closes. */
  async close(): Promise<void> {
    await this.#sending
    await this.#producer.close()
  }

  async #sendQueued(): Promise<void> {
    // Waits for the rest of this turn's appends, so that they share the first send too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const group = this.#nextGroup()
      try {
        await this.#send(group)
        this.#settleDone()
      } catch (error) {
        this.#fail(group, kafkaFailure(error, `appending at ${this.#where}`))
      }
    }
  }

  /** In order, as far as one send reaches. */
  #nextGroup(): Taken[] {
    const group: Taken[] = []
    const bytes = new Map<string, number>()
    for (const append of this.#queue) {
      while (append.taken < append.records.length) {
        const placed = append.records[append.taken]!
        const key = `${append.topic}/${placed.partition}`
        const size = (bytes.get(key) ?? 0) + sizeOf(placed.record)
        if (group.length > 0 && (size > BATCH_BYTES_MAX || group.length === SEND_RECORDS_MAX)) return group
        bytes.set(key, size)
        group.push({ ...placed, append })
        append.taken += 1
      }
    }
    return group
  }

  async #send(group: readonly Taken[]): Promise<void> {
    const { offsets = [] } = await this.#producer.send({
      acks: ProduceAcks.ALL,
      messages: group.map(({ append, partition, record }) => ({
        topic: append.topic,
        partition,
        ...(record.key === null ? {} : { key: Buffer.from(record.key, 'utf8') }),
        value: bufferOf(record.value),
        timestamp: BigInt(Math.trunc(record.timestampMs)),
      })),
    })
    const next = new Map(
      offsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, Number(offset)]),
    )
    for (const { append, partition } of group) {
      const key = `${append.topic}/${partition}`
      const offset = next.get(key)
      if (offset === undefined || offset < 0)
        throw new EventLogError('LOG_WRITE_FAILED', `Kafka did not say where in ${key} the records stand`)
      append.positions.push({ partition, offset })
      next.set(key, offset + 1)
    }
  }

  #settleDone(): void {
    const isDone = (append: PendingAppend) => append.positions.length === append.records.length
    for (const append of this.#queue) if (isDone(append)) append.done.resolve(append.positions)
    this.#queue = this.#queue.filter((append) => !isDone(append))
  }

  /** What is behind a log that cannot be reached has waited as long, and fails too. */
  #fail(group: readonly Taken[], error: EventLogError): void {
    const failed =
      error.code === 'LOG_UNAVAILABLE' ? new Set(this.#queue) : new Set(group.map(({ append }) => append))
    for (const append of failed) append.done.reject(error)
    this.#queue = this.#queue.filter((append) => !failed.has(append))
  }
}

function sizeOf({ key, value }: LogRecord): number {
  return RECORD_OVERHEAD_BYTES + (key === null ? 0 : Buffer.byteLength(key)) + value.length
}

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
