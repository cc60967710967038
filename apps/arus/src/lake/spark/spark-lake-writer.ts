import { randomUUID } from 'node:crypto'
import type { DeltaTable } from '@arus/delta'
import type { EventLog, PartitionInfo } from '@arus/event-log'
import { SparkError, type SparkSession } from '@arus/spark-connect'
import type { SparkCompute } from '../../compute/spark-compute.ts'
import type { KafkaSettings } from '../../config/kafka-settings.ts'
import type { SparkSettings } from '../../config/spark-settings.ts'
import { ArusError } from '../../errors.ts'
import { type LakeTopics, type Route, routesOf } from '../bronze-routes.ts'
import { type LakeWriter, type RoundOptions, startCopyRounds } from '../copy-rounds.ts'
import type { Lake } from '../lake.ts'
import type { LakePlace } from '../lake-place.ts'
import { startLakeWriter } from '../lake-writer.ts'
import { anotherLog, positionOf } from '../log-positions.ts'
import { endStreams, hasEnded, rowsBeyond, streamsIn } from '../streamed-rows.ts'
import { definitionOf } from '../tables/index.ts'
import { copyOthers } from './copy-others.ts'
import { kafkaSource, type Offsets, offsetsJson, parseOffsets } from './kafka-source.ts'
import { plainEntries } from './plain-entries.ts'
import { checkpointAddress, tableAddress } from './table-address.ts'

export interface SparkLakeWriterOptions extends RoundOptions {
  readonly compute: SparkCompute
  readonly spark: SparkSettings
  readonly kafka: KafkaSettings
  readonly lake: Lake
  readonly place: LakePlace
  /** The same Kafka. */
  readonly log: EventLog
  readonly topics: LakeTopics
  /** Offsets of a topic that one commit of Spark covers at most. Default 500,000. */
  readonly batchOffsets?: number
}

/**
 * Follows the log's three topics into bronze as `startLakeWriter` does, with a stream of Spark for each topic, which takes all
 * there is in a round and ends. It writes the entries that Arus itself wrote; the others are decoded here.
 *
 * Exactly once: the stream's rows stand in one commit with the number of its batch. When it has ended, the other entries of the
 * same range are appended, in one commit with the positions up to which both are there then. So the positions may lag behind the
 * stream's rows, which is safe: the stream begins at its checkpoint, the others at the positions. See `afterStreams` for who
 * goes on without Spark.
 */
export function startSparkLakeWriter(options: SparkLakeWriterOptions): LakeWriter {
  const copier = new SparkToBronze(options)
  return startCopyRounds(() => copier.copyAll(), options)
}

class SparkToBronze {
  readonly #options: SparkLakeWriterOptions
  readonly #routes: readonly Route[]
  readonly #source: Readonly<Record<string, string>>
  /** Put behind an entry to see that it ends there; nobody who writes entries knows it. */
  readonly #mark = randomUUID()
  #isTakenOver = false

  constructor(options: SparkLakeWriterOptions) {
    this.#options = options
    this.#routes = routesOf(options.topics)
    this.#source = kafkaSource(options.kafka, options.spark)
  }

  async copyAll(): Promise<void> {
    try {
      const session = await this.#options.compute.session()
      await this.#takeOver(session)
      // None is left running when another fails.
      const rounds = await Promise.allSettled(this.#routes.map((route) => this.#copy(session, route)))
      for (const round of rounds) if (round.status === 'rejected') throw round.reason
    } catch (error) {
      throw this.#told(error)
    }
  }

  /** What a stream wrote that does not go on here, since its checkpoint is gone or it was ended, would be written again. */
  async #takeOver(session: SparkSession): Promise<void> {
    if (this.#isTakenOver) return
    const { lake, log, topics } = this.#options
    const others: Route[] = []
    for (const route of this.#routes) if (!(await this.#goesOn(session, route))) others.push(route)
    for (const { table } of others) await endStreams(lake, table)
    if (others.length > 0) await startLakeWriter({ lake, log, topics }).stop()
    this.#isTakenOver = true
  }

  /** The stream of our checkpoint wrote all that stands beyond the positions. */
  async #goesOn(session: SparkSession, { table, topic }: Route): Promise<boolean> {
    const { lake } = this.#options
    const snapshot = await (await lake.table(table)).snapshot()
    const { open, endedCount } = streamsIn(snapshot)
    if (open.length === 0)
      return endedCount === 0 || (await rowsBeyond(lake, { table, topic }, snapshot)).size === 0
    return open.length === 1 && open[0] === (await this.#streamId(session, { table, endedCount }))
  }

  async #copy(session: SparkSession, route: Route): Promise<void> {
    const { lake, log } = this.#options
    const table = await lake.table(route.table)
    const before = await table.snapshot()
    const { partitions } = await log.topic(route.topic)
    const stated: Offsets = new Map(
      partitions.flatMap(({ partition }) => {
        const offset = positionOf(before, route.topic, partition)
        return offset === null ? [] : [[partition, offset]]
      }),
    )
    if (!isMore(route, partitions, stated)) return
    const checkpoint = this.#checkpoint(route.table, streamsIn(before).endedCount)
    const until = await this.#stream(session, { route, table, partitions, stated, checkpoint })
    if (until === null) return
    // A query that is told an offset which is gone fails.
    const from = new Map(
      partitions.map(({ partition, startOffset }) => [
        partition,
        Math.max(startOffset, stated.get(partition) ?? 0),
      ]),
    )
    const entriesUntil = (ends: Offsets) => this.#others(session, route, { from, ends })
    await copyOthers({ lake, log, route, stated, until, entriesUntil })
  }

  /** Lets the stream take what there is; up to where the table has the rows that it writes, or null when it never had any. */
  async #stream(
    session: SparkSession,
    { route, table, partitions, stated, checkpoint }: StreamRound,
  ): Promise<Offsets | null> {
    const { spark, place, batchOffsets = 500_000, onFault } = this.#options
    const lost = lostOf(route, partitions, stated)
    if (lost !== null) onFault?.(lost)
    const numbers = partitions.map(({ partition }) => partition)
    const entries = session.readStream
      .format('kafka')
      .options({
        ...this.#source,
        subscribe: route.topic,
        startingOffsets: offsetsJson(route.topic, numbers, stated),
        maxOffsetsPerTrigger: batchOffsets,
        // What is gone was told; what goes meanwhile ends the query.
        failOnDataLoss: lost === null,
      })
      .load()
      .filter(`offset >= ${byPartition(stated)}`)
    const query = await plainEntries(route.table, this.#mark)
      .rows(entries)
      .writeStream.format('delta')
      .partitionBy(...definitionOf(route.table).partitionColumns)
      .option('checkpointLocation', checkpoint)
      .trigger({ availableNow: true })
      .start(tableAddress(spark, place, route.table))
    await query.awaitTermination()
    const batch = (await table.snapshot()).transactions.get(query.id)?.version
    if (batch === undefined) return null
    if (hasEnded(batch))
      throw new ArusError(
        'INTERNAL',
        `The stream into ${route.table} was ended by whoever wrote it without Spark meanwhile; the next round begins with another`,
      )
    return parseOffsets(route.topic, await lastLine(session, `${checkpoint}/offsets/${batch}`))
  }

  /** The entries of a range that the stream leaves out, of each partition in their order. */
  #others(
    session: SparkSession,
    { topic, table }: Route,
    { from, ends }: { readonly from: Offsets; readonly ends: Offsets },
  ) {
    const numbers = [...ends.keys()]
    const entries = session.read
      .format('kafka')
      .options({
        ...this.#source,
        assign: JSON.stringify({ [topic]: numbers }),
        startingOffsets: offsetsJson(topic, numbers, from),
        endingOffsets: offsetsJson(topic, numbers, ends),
      })
      .load()
    return plainEntries(table, this.#mark)
      .others(entries)
      .selectExpr('partition', 'offset', 'unix_millis(timestamp) AS timestamp_ms', 'value')
      .rows()
  }

  #checkpoint(table: Route['table'], generation: number): string {
    const { spark, place } = this.#options
    return checkpointAddress(spark, place, { table, generation })
  }

  /** Under which the stream of a checkpoint writes; null when it has none yet. */
  async #streamId(
    session: SparkSession,
    { table, endedCount }: { readonly table: Route['table']; readonly endedCount: number },
  ): Promise<string | null> {
    const checkpoint = this.#checkpoint(table, endedCount)
    try {
      return (JSON.parse(await lastLine(session, `${checkpoint}/metadata`)) as { readonly id: string }).id
    } catch (error) {
      if (error instanceof SparkError && error.errorClass?.startsWith('PATH_NOT_FOUND')) return null
      throw error
    }
  }

  /** In few words, and without the password that is among the options of the source. */
  #told(error: unknown): unknown {
    if (!(error instanceof SparkError)) return error
    const { compute, kafka } = this.#options
    // Behind it come the query's plan and offsets.
    const [summary = ''] = error.message.split('\n=== Streaming Query ===', 1)
    const message = kafka.password === null ? summary : summary.replaceAll(kafka.password, '***')
    return new ArusError(
      error.code === 'SPARK_UNREACHABLE' ? 'ENGINE_UNREACHABLE' : 'ENGINE_UNUSABLE',
      `Spark at ${compute.address}: ${message}. ${error.advice} (SPARK_REMOTE)`,
    )
  }
}

interface StreamRound {
  readonly route: Route
  readonly table: DeltaTable
  readonly partitions: readonly PartitionInfo[]
  /** Up to where bronze says it has each partition. */
  readonly stated: Offsets
  readonly checkpoint: string
}

function isMore({ table, topic }: Route, partitions: readonly PartitionInfo[], stated: Offsets): boolean {
  for (const { partition, endOffset } of partitions) {
    const offset = stated.get(partition) ?? 0
    if (offset > endOffset) throw anotherLog(table, { topic, partition, offset }, endOffset)
  }
  return partitions.some(
    ({ partition, startOffset, endOffset }) => (stated.get(partition) ?? startOffset) < endOffset,
  )
}

/** What retention took before it was copied. */
function lostOf(
  { table, topic }: Route,
  partitions: readonly PartitionInfo[],
  stated: Offsets,
): ArusError | null {
  const lost = partitions.reduce(
    (total, { partition, startOffset }) =>
      total + Math.max(0, startOffset - (stated.get(partition) ?? startOffset)),
    0,
  )
  if (lost === 0) return null
  return new ArusError(
    'INTERNAL',
    `${lost} offsets of ${topic} are gone by retention before ${table} had them; keep entries longer than Spark may be away`,
  )
}

/** SQL of each partition's offset, of Kafka's columns. */
function byPartition(offsets: Offsets): string {
  const cases = [...offsets].map(([partition, offset]) => `WHEN ${partition} THEN ${offset}`)
  return cases.length === 0 ? '0' : `CASE partition ${cases.join(' ')} ELSE 0 END`
}

async function lastLine(session: SparkSession, file: string): Promise<string> {
  const [row] = await session.read.format('text').option('wholetext', true).load(file).collect()
  return (
    String(row?.value ?? '')
      .trim()
      .split('\n')
      .at(-1) ?? ''
  )
}
