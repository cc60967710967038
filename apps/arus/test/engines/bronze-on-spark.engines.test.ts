/** Bronze written from Kafka by streams of Spark, beside the embedded writer on the same topics. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog } from '@arus/event-log'
import { openKafkaEventLog } from '@arus/event-log/kafka'
import { Admin, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSparkCompute, type SparkCompute } from '../../src/compute/spark-compute.ts'
import type { KafkaSettings } from '../../src/config/kafka-settings.ts'
import type { ShopEvent } from '../../src/events/event.ts'
import { topicNames } from '../../src/events/topics.ts'
import { type DuckDb, openDuckDb } from '../../src/lake/duckdb.ts'
import { eraseFromLake } from '../../src/lake/erase-from-lake.ts'
import { type Lake, openLakeAt } from '../../src/lake/lake.ts'
import { folderPlace } from '../../src/lake/lake-place.ts'
import { LAKE_GROUP, type LakeWriter, startLakeWriter } from '../../src/lake/lake-writer.ts'
import { positionsIn } from '../../src/lake/log-positions.ts'
import { startSparkLakeWriter } from '../../src/lake/spark/spark-lake-writer.ts'
import { streamsIn } from '../../src/lake/streamed-rows.ts'
import { rowsOf, testEvent } from '../../src/lake/test-lake.ts'

const server = process.env.KAFKA_BOOTSTRAP_SERVERS ?? ''
const topics = topicNames(`t${randomUUID().slice(0, 8)}`)
const remote = process.env.SPARK_REMOTE ?? ''
const spark = { remote, kafkaServers: null, lakeAddress: null }
const plainKafka: KafkaSettings = {
  servers: [server],
  topic: null,
  security: 'PLAINTEXT',
  mechanism: 'PLAIN',
  username: null,
  password: null,
  authorityFile: null,
  replicationFactor: null,
}
const TABLES = ['bronze.events', 'bronze.rejected_events', 'bronze.recommendations'] as const
const JSON_COLUMNS = ['properties', 'products', 'rules', 'experiments', 'shadows']
const NEVER = 3_600_000
const ANI = { id: 'ani', anonymousIds: [], sessions: [] }

let folder: string
let duckdb: DuckDb
let compute: SparkCompute
let log: EventLog
/** What Spark writes, and what the embedded writer does. */
let lakes: { readonly spark: Lake; readonly embedded: Lake }
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-bronze-on-spark-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  compute = openSparkCompute(spark)
  log = await openKafkaEventLog({ servers: [server], groupPrefix: `${topics.events}.` })
  for (const topic of Object.values(topics)) await log.ensureTopic(topic, { partitionCount: 2 })
  lakes = { spark: lakeIn('spark'), embedded: lakeIn('embedded') }
})
afterAll(async () => {
  await compute.close()
  await log.close()
  await duckdb.close()
  rmSync(folder, { recursive: true, force: true })
})

const placeOf = (name: string) => folderPlace(join(folder, name))
const lakeIn = (name: string) => openLakeAt({ place: placeOf(name), duckdb })

/** A process with Spark. */
function sparkWriter(
  lake = lakes.spark,
  {
    kafka = plainKafka,
    onFault = () => {},
  }: { kafka?: KafkaSettings; onFault?: (error: unknown) => void } = {},
): LakeWriter {
  const place = placeOf('spark')
  return startSparkLakeWriter({
    ...{ compute, spark, kafka, lake, place, log, topics, onFault },
    intervalMs: NEVER,
  })
}

/** A process with Spark that ends after a round. */
const bySpark = (lake = lakes.spark) => sparkWriter(lake).stop()

async function embedded(lake = lakes.embedded): Promise<void> {
  await startLakeWriter({ lake, log, topics, intervalMs: NEVER }).stop()
}

/** Puts texts, or bytes, into a topic. */
async function send(topic: string, values: readonly (string | Uint8Array)[]): Promise<void> {
  await log.append(
    topic,
    values.map((value, i) => ({
      key: `k${i % 5}`,
      value: typeof value === 'string' ? Buffer.from(value) : value,
      timestampMs: 1_790_000_000_123 + i,
    })),
  )
}

const sendEvents = (...events: readonly Partial<ShopEvent>[]) =>
  send(
    topics.events,
    events.map((event) => full({ event_id: randomUUID(), ...event })),
  )

/** Rows of a lake's bronze, JSON as values. */
async function bronze(lake: Lake): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {}
  for (const table of TABLES) {
    const { fields } = (await (await lake.table(table)).snapshot()).schema
    const rows = await rowsOf(lake, `SELECT * FROM {${table}} ORDER BY ALL`)
    tables[table] = rows.map((row) =>
      row.map((value, i) => {
        const isJson = JSON_COLUMNS.includes(fields[i]?.name ?? '') && typeof value === 'string'
        return isJson ? JSON.parse(value) : value
      }),
    )
  }
  return tables
}

async function expectSame(): Promise<void> {
  await embedded()
  expect(await bronze(lakes.spark)).toEqual(await bronze(lakes.embedded))
}

/** A lake whose tables cannot be written from here: as for a process that is killed when the stream has committed. */
function failing(lake: Lake): Lake {
  return new Proxy(lake, {
    get(target, name) {
      if (name === 'write') return async () => Promise.reject(new Error('killed'))
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Fields in the order of ingest. */
function full(fields: object): string {
  const { event_id, ...others } = testEvent({ event_id: 'e' })
  return JSON.stringify({ event_id, ...others, ...fields })
}

test('the same entries give the same rows as from the embedded writer, whoever wrote them', async () => {
  await sendEvents(
    {},
    { user_id: 'żółć 😀 \u2028 "q" \\ \n', query: '', properties: {} },
    { user_id: null, session_id: 's', anonymous_id: 'a', position: 7, quantity: 3, price: 0.1 },
    {
      price: 1e21,
      quantity: 5e-7,
      properties: { z: 1, a: { b: [1, -2.5, 1e21, null, 'é\u0000"'] }, n: 12.5 },
    },
    { ts: 1_500_000_000_001, received_at: 1_500_000_000_999, order_id: 'o', recommendation_id: 'r' },
    { query: 'half \ud800 of a pair', properties: { half: '\udc00' } },
    { properties: { deep: JSON.parse(`${'['.repeat(31)}${']'.repeat(31)}`) } },
    { event_id: 'x'.repeat(512), product_id: null, action: 'search', query: '\u0000' },
  )
  await send(topics.events, [
    // All fields, and something else in them than ingest writes.
    full({ price: '5', quantity: null }),
    full({}).replace(/"ts":\d+/, '"ts":1700000000000.99999999'),
    full({ properties: { n: 1 } }).replace('"n":1', '"n":12345678901234567890'),
    full({ received_at: 'x', order_id: 5, query: ['a'], recommendation_id: { a: 1 } }),
    full({ properties: [1], position: 2.4 }),
    full({ event_id: '' }),
    full({ event_id: 'x'.repeat(513) }),
    full({ user_id: null }),
    full({ ts: 1e15 }),
    full({ ts: -5 }),
    full({ properties: { a: 1 } }).replace('"a":1', '"a":1,"a":2'),
    full({}).replace('"user_id":', '"user_id":"other","user_id":'),
    full({}).replace('"price":null', '"price":1e400'),
    `${full({})} trailing`,
    `${full({})}] [`,
    `  ${full({})}\n`,
    `\ufeff${full({})}`,
    full({ extra: 1 }),
    // Other producers' own.
    '{"user_id": 7001, "action": "view", "product_id": "p"}',
    '{"user_id": 12345678901234567890, "action": "view", "product_id": "p", "ts": "2026-01-02T03:04:05Z", "shelf": "top"}',
    '{"user_id": "u", "action": "Look!"}',
    // No events.
    '',
    'no JSON at all',
    '[1]',
    'null',
    Buffer.from([0x7b, 0xff, 0xfe]),
    Buffer.concat([Buffer.from(full({}).slice(0, -1)), Buffer.from([0xff, 0x7d])]),
    Buffer.from(full({ query: 'Q' }).replace('Q', '\u00ff'), 'latin1'),
  ])
  await send(topics.rejected, [
    JSON.stringify({
      raw: '{"user_id":1}',
      pointer: '/action',
      reason: 'no action',
      received_at: 1_700_000_000_123,
    }),
    JSON.stringify({ raw: { user_id: 1.5 }, reason: 'older form' }),
    'broken',
    '[]',
  ])
  const passport = {
    recommendation_id: 'r-1',
    user_id: 'u',
    scenario: 'home',
    fallback: null,
    model: { name: 'walk', version: 3 },
    generated_at: 1_700_000_000_500,
    result: [{ product_id: 'p', rank: 1, score: 0.123456789012345, reason: { kind: 'because', of: 'é' } }],
    rules: { revision: 2, applied: ['x'] },
    exploration: { probability: 0.05 },
    session_id: 's',
    took_ms: 1.25,
    experiments: [{ name: 'a', variant: 'b' }],
    shadows: [],
  }
  await send(topics.recommendations, [
    JSON.stringify(passport),
    JSON.stringify({
      ...passport,
      model: null,
      exploration: null,
      rules: null,
      experiments: null,
      result: undefined,
    }),
    JSON.stringify({ ...passport, rules: 5, user_id: 5, generated_at: 'never', model: 'walk' }),
    JSON.stringify({ ...passport, recommendation_id: 7 }),
    'broken',
  ])
  await sendByTransactions()
  await bySpark()
  await expectSame()
  const rows = await bronze(lakes.spark)
  expect(TABLES.map((table) => rows[table]?.length)).toEqual([23, 20, 3])
  expect(streamedRows()).toBeGreaterThanOrEqual(4)
  await expectStated()
})

test('a further round copies what came since, tells what is gone, and one without anything new commits nothing', async () => {
  await sendEvents({ user_id: 'gone' }, { user_id: 'gone' })
  await forgetAll(topics.events)
  await sendEvents({ user_id: 'b1' }, { user_id: 'b2', properties: { a: 'b' } })
  await send(topics.events, ['{"user_id": "b3", "action": "view", "product_id": "p"}'])
  const faults: unknown[] = []
  await sparkWriter(lakes.spark, { onFault: (error) => faults.push(error) }).stop()
  expect(String(faults)).toMatch(/2 offsets of .* are gone by retention/)
  await expectSame()
  const version = async () => (await (await lakes.spark.table('bronze.events')).snapshot()).version
  const before = await version()
  await bySpark()
  expect(await version()).toBe(before)
})

test('killed between Spark’s commit and ours, and before its checkpoint knew of it: each entry once', async () => {
  await sendEvents({ user_id: 'c1' }, { user_id: 'c2' })
  await send(topics.events, ['{"user_id": "c3", "action": "view", "product_id": "p"}', 'broken'])
  await expect(bySpark(failing(lakes.spark))).rejects.toThrow('killed')
  forgetLastCommit()
  await sendEvents({ user_id: 'c4' })
  await bySpark()
  await expectSame()
})

test('the embedded writer goes on after a Spark that was killed, and Spark after it', async () => {
  await sendEvents({ user_id: 'd1' }, { user_id: 'd2' })
  await send(topics.events, ['{"user_id": "d3", "action": "view", "product_id": "p"}', 'broken'])
  await send(topics.rejected, [JSON.stringify({ raw: '{}', pointer: '', reason: 'd', received_at: 1 })])
  await expect(bySpark(failing(lakes.spark))).rejects.toThrow('killed')
  await sendEvents({ user_id: 'd4' })
  await embedded(lakes.spark)
  await expectSame()
  const writer = sparkWriter()
  await writer.flush()
  await sendEvents({ user_id: 'd5' }, { user_id: 'd6' })
  await writer.stop()
  await expectSame()
  await expectStated()
  const streams = streamsIn(await (await lakes.spark.table('bronze.events')).snapshot())
  expect(streams).toMatchObject({ open: [expect.any(String)], endedCount: 1 })
})

test('a checkpoint that is gone is no harm, even with rows that nobody stated', async () => {
  await sendEvents({ user_id: 'e1' }, { user_id: 'e2' })
  await expect(bySpark(failing(lakes.spark))).rejects.toThrow('killed')
  rmSync(join(folder, 'spark/_spark'), { recursive: true })
  await sendEvents({ user_id: 'e3' })
  await bySpark()
  await expectSame()
})

test('a password that no error tells; TLS; bronze rewritten by an erasure while the stream stands still', async () => {
  const secure: KafkaSettings = {
    ...plainKafka,
    servers: [process.env.ARUS_KAFKA_SECURE ?? ''],
    security: 'SASL_SSL',
    username: 'arus',
    authorityFile: process.env.ARUS_KAFKA_CA ?? '',
  }
  await sendEvents({ user_id: 'ani' }, { user_id: 'budi' })
  const wrong = sparkWriter(lakes.spark, { kafka: { ...secure, password: 'wrong-"secret"' } })
  const failure = await wrong.flush().then(String, String)
  expect(failure).toMatch(/authentication/i)
  expect(failure).not.toContain('secret')
  const writer = sparkWriter(lakes.spark, {
    kafka: { ...secure, password: process.env.ARUS_KAFKA_PASSWORD ?? '' },
  })
  const copyLog = () => writer.flush()
  await eraseFromLake({ log, topics, lake: lakes.spark, copyLog }, ANI)
  await embedded()
  await eraseFromLake({ log, topics, lake: lakes.embedded }, ANI)
  await sendEvents({ user_id: 'citra' })
  await writer.stop()
  await expectSame()
  const { open } = streamsIn(await (await lakes.spark.table('bronze.events')).snapshot())
  expect(open).toHaveLength(1)
  await wrong.stop()
})

/** A transaction that is kept, and one that is taken back. */
async function sendByTransactions(): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [server],
    idempotent: true,
    transactionalId: topics.events,
    retries: 10,
  })
  const end = async () => (await log.topic(topics.events)).partitions[0]?.endOffset ?? 0
  const before = await end()
  for (const isKept of [false, true, false]) {
    const transaction = await producer.beginTransaction({})
    const value = Buffer.from(full({ event_id: `kept-${isKept}` }))
    await transaction.send({ messages: [{ topic: topics.events, partition: 0, value }] })
    await (isKept ? transaction.commit() : transaction.abort())
  }
  await producer.close()
  // The broker answers the end of a transaction before its marker stands in the partition.
  await expect.poll(end, { timeout: 20_000 }).toBe(before + 6)
}

/** As when retention takes all that a topic holds. */
async function forgetAll(name: string): Promise<void> {
  const { partitions } = await log.topic(name)
  const ends = partitions.map((p) => ({ partition: p.partition, offset: BigInt(p.endOffset) }))
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server] })
  await admin.deleteRecords({ topics: [{ name, partitions: ends }] })
  await admin.close()
}

/** Rows that Spark's own commits have added to the events. */
function streamedRows(): number {
  const logFolder = join(folder, 'spark/bronze/events/_delta_log')
  const commits = readdirSync(logFolder).filter((name) => name.endsWith('.json'))
  const actions = commits
    .map((name) => readFileSync(join(logFolder, name), 'utf8'))
    .filter((text) => text.includes('"STREAMING UPDATE"'))
    .flatMap((text) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
  return actions.reduce((total, { add }) => total + (add ? JSON.parse(add.stats).numRecords : 0), 0)
}

/** Positions are the ends of the topics, in bronze and in the group. */
async function expectStated(): Promise<void> {
  for (const [i, topic] of [topics.events, topics.rejected, topics.recommendations].entries()) {
    const ends = new Map((await log.topic(topic)).partitions.map((p) => [p.partition, p.endOffset]))
    const snapshot = await (await lakes.spark.table(TABLES[i] ?? 'bronze.events')).snapshot()
    const stated = positionsIn(snapshot).filter((position) => position.topic === topic)
    expect(new Map(stated.map(({ partition, offset }) => [partition, offset]))).toEqual(ends)
    expect(await log.committed(LAKE_GROUP, topic)).toEqual(ends)
  }
}

/** As when Spark was killed after its commit to the table and before it noted that in its checkpoint. */
function forgetLastCommit(): void {
  const commits = join(folder, 'spark/_spark/bronze.events/0/commits')
  const last = Math.max(
    ...readdirSync(commits)
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  )
  rmSync(join(commits, String(last)))
  rmSync(join(commits, `.${last}.crc`), { force: true })
}
