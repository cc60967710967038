import { EventLogError } from '../errors.ts'
import type { LogBatch } from '../event-log.ts'
import type { FetchedPartition, Fetcher } from './fetcher.ts'
import { retryMs } from './kafka-client.ts'
import { kafkaFailure } from './kafka-errors.ts'

export interface KafkaConsumerOptions {
  /** Of this consumer alone: a fetch that waits for more holds up what comes behind it on its connection. */
  readonly fetcher: Pick<Fetcher, 'leaders' | 'fetch' | 'forgetLeaders'>
  readonly topic: string
  /** As it is called in batches. */
  readonly name: string
  /** Offset to begin at, by partition; those that are added later begin at their beginning. */
  readonly positions: Map<number, number>
  readonly maxRecords: number
  readonly signal: AbortSignal
  /** First offset of a partition that is still there, and the one behind its last. */
  readonly bounds: (partition: number) => Promise<{ readonly start: number; readonly end: number }>
}

/** How long a broker keeps a fetch for which it has nothing. */
const WAIT_MS = 500

type Outcome =
  | { readonly kind: 'fetched'; readonly node: number; readonly partitions: readonly FetchedPartition[] }
  | { readonly kind: 'failed'; readonly node: number; readonly error: unknown }
  | { readonly kind: 'aborted' }

/**
 * Yields what comes, partition by partition in order, until the signal aborts: one fetch at a time for each broker, the next
 * one under way while its entries are worked on. A broker that goes away is waited for. Throws what waiting cannot mend.
 */
export async function* consumeKafka(options: KafkaConsumerOptions): AsyncGenerator<LogBatch> {
  const { signal, fetcher, topic } = options
  const fetching = new Fetching(options)
  const aborted = Promise.withResolvers<Outcome>()
  const onAbort = () => aborted.resolve({ kind: 'aborted' })
  signal.addEventListener('abort', onAbort, { once: true })
  let failures = 0
  try {
    while (!signal.aborted) {
      try {
        const batches = await fetching.next(aborted.promise)
        failures = 0
        for (const batch of batches) {
          yield batch
          if (signal.aborted) return
        }
      } catch (error) {
        const failure = kafkaFailure(error, `reading ${topic}`)
        if (!failure.canRetry) throw failure
        fetching.forget()
        fetcher.forgetLeaders()
        failures += 1
        await waitFor(retryMs(failures), aborted.promise)
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The fetches that are under way, one for each broker. */
class Fetching {
  readonly #options: KafkaConsumerOptions
  readonly #underWay = new Map<number, Promise<Outcome>>()
  /** What went wrong after positions had moved: told once the batches before it are handed over. */
  #failure: { readonly error: unknown } | null = null

  constructor(options: KafkaConsumerOptions) {
    this.#options = options
  }

  /** Batches of the first broker that answers; none when the signal aborted. */
  async next(aborted: Promise<Outcome>): Promise<LogBatch[]> {
    this.#throwFailure()
    await this.#start()
    const outcome = await Promise.race([...this.#underWay.values(), aborted])
    if (outcome.kind === 'aborted') return []
    this.#underWay.delete(outcome.node)
    if (outcome.kind === 'failed') throw outcome.error
    const batches: LogBatch[] = []
    for (const fetched of outcome.partitions) {
      await this.#remember(async () => void batches.push(...(await this.#take(fetched))))
    }
    await this.#remember(() => this.#start())
    if (batches.length === 0) this.#throwFailure()
    return batches
  }

  forget(): void {
    this.#underWay.clear()
  }

  async #remember(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure.error
  }

  /** Begins a fetch at each broker that has none. */
  async #start(): Promise<void> {
    const { topic, positions, fetcher } = this.#options
    for (const [node, partitions] of await fetcher.leaders(topic)) {
      if (this.#underWay.has(node)) continue
      const from = new Map(partitions.map((partition) => [partition, positions.get(partition) ?? 0]))
      this.#underWay.set(
        node,
        fetcher.fetch({ topic, node, from, waitMs: WAIT_MS }).then(
          (fetched): Outcome => ({ kind: 'fetched', node, partitions: fetched }),
          (error: unknown): Outcome => ({ kind: 'failed', node, error }),
        ),
      )
    }
  }

  /** Moves the position of a partition, and cuts what came into batches. */
  async #take(fetched: FetchedPartition): Promise<LogBatch[]> {
    const { positions } = this.#options
    const { partition, fromOffset, error } = fetched
    if (error === 'OFFSET_OUT_OF_RANGE') return this.#goOnAtStart(partition, fromOffset)
    if (error !== null) throw partitionFailure(this.#options.topic, partition, error)
    positions.set(partition, fetched.nextOffset)
    return this.#batchesOf(fetched)
  }

  async #goOnAtStart(partition: number, position: number): Promise<LogBatch[]> {
    const { name, topic, positions, bounds } = this.#options
    const { start, end } = await bounds(partition)
    if (position > end) throw beyondEnd(topic, partition, { position, end })
    if (position >= start) return []
    positions.set(partition, start)
    return [{ topic: name, partition, entries: [], nextOffset: start, lost: start - position }]
  }

  /** Where there are only gaps, a batch without entries says how far they reach. */
  #batchesOf({ partition, fromOffset, entries, nextOffset }: FetchedPartition): LogBatch[] {
    const { name, maxRecords } = this.#options
    const batches: LogBatch[] = []
    for (let at = 0; at < entries.length; at += maxRecords) {
      const part = entries.slice(at, at + maxRecords)
      const isLast = at + maxRecords >= entries.length
      const next = isLast ? nextOffset : part.at(-1)!.offset + 1
      batches.push({ topic: name, partition, entries: part, nextOffset: next, lost: 0 })
    }
    if (entries.length === 0 && nextOffset > fromOffset)
      batches.push({ topic: name, partition, entries, nextOffset, lost: 0 })
    return batches
  }
}

/** The error of one partition. What no other try mends is told as such; leaders move, and brokers come back. */
export function partitionFailure(topic: string, partition: number, error: string): EventLogError {
  const isDenied = error === 'TOPIC_AUTHORIZATION_FAILED'
  return new EventLogError(
    isDenied ? 'LOG_ACCESS_DENIED' : 'LOG_UNAVAILABLE',
    `Kafka, reading ${topic} partition ${partition}: ${error}`,
  )
}

/** Offsets only grow: whoever stands beyond the end read another log under this name. */
function beyondEnd(
  topic: string,
  partition: number,
  { position, end }: { readonly position: number; readonly end: number },
): EventLogError {
  return new EventLogError(
    'LOG_OFFSET_UNKNOWN',
    `Reading ${topic} partition ${partition} was to go on at offset ${position}, but it ends at ${end}: the topic was made anew, or lost its end. Bring it back, or begin anew with what was read from it`,
  )
}

async function waitFor(ms: number, aborted: Promise<unknown>): Promise<void> {
  const passed = Promise.withResolvers<void>()
  const timer = setTimeout(passed.resolve, ms)
  await Promise.race([passed.promise, aborted])
  clearTimeout(timer)
}
