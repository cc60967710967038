import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin, Producer } from '@platformatic/kafka'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EventLog, type LogBatch, partitionOf } from '../src/index.ts'
import { openKafkaEventLog } from '../src/kafka/index.ts'

const servers = [process.env.KAFKA_BOOTSTRAP_SERVERS ?? '']
let log: EventLog
let topic: string
beforeEach(async () => {
  topic = `specifics.${randomUUID()}`
  log = await openKafkaEventLog({ servers, groupPrefix: `${topic}.` })
})
afterEach(() => log.close())

test('keys stand where Kafka’s own producer puts them', async () => {
  await log.ensureTopic(topic, { partitionCount: 7 })
  const keys = Array.from({ length: 40 }, (_, i) => `shopper-${i}-é`)
  const tool = ['-cp', join(process.env.ARUS_KAFKA_LIBS ?? '', '*'), 'org.apache.kafka.tools.ConsoleProducer']
  const options = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=|']
  const child = spawn(
    'java',
    ['-Dfile.encoding=UTF-8', ...tool, '--bootstrap-server', servers[0]!, '--topic', topic, ...options],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  )
  child.stdin.end(keys.map((key) => `${key}|value\n`).join(''))
  expect(await once(child, 'close')).toEqual([0, null])
  let count = 0
  for (let partition = 0; partition < 7; partition++) {
    for (const { key } of (await log.read(topic, partition, 0, 100)).entries) {
      expect(partitionOf(key ?? '', 7)).toBe(partition)
      count += 1
    }
  }
  expect(count).toBe(40)
})

test('an append larger than a batch of Kafka’s, and a large record in it, come back in order', async () => {
  await log.ensureTopic(topic, { partitionCount: 1 })
  const records = Array.from({ length: 3_000 }, (_, i) => ({
    key: 'k',
    value: Buffer.alloc(i === 1_500 ? 3_000_000 : 1_000, String(i % 10)),
    timestampMs: i,
  }))
  const positions = await log.append(topic, records)
  expect(positions.map(({ offset }) => offset)).toEqual(records.map((_, i) => i))
  let offset = 0
  let read = 0
  do {
    const batch = await log.read(topic, 0, offset, 1_000)
    for (const entry of batch.entries) {
      expect(entry.timestampMs).toBe(read)
      expect(Buffer.compare(entry.value, records[read]!.value)).toBe(0)
      read += 1
    }
    offset = batch.nextOffset
  } while (offset < 3_000)
  expect(read).toBe(3_000)
  await expect(
    log.append(topic, [{ key: null, value: Buffer.alloc(17 * 1024 * 1024), timestampMs: 1 }]),
  ).rejects.toMatchObject({ code: 'LOG_RECORD_TOO_LARGE' })
})

test('what a transaction took back is not shown, and leaves nothing to do', async () => {
  await log.ensureTopic(topic, { partitionCount: 1 })
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: servers,
    idempotent: true,
    transactionalId: topic,
    retries: 10,
  })
  const send = async (value: string, isCommit: boolean) => {
    const transaction = await producer.beginTransaction({})
    await transaction.send({ messages: [{ topic, partition: 0, value: Buffer.from(value) }] })
    await (isCommit ? transaction.commit() : transaction.abort())
  }
  await send('taken back', false)
  await send('kept', true)
  await send('taken back too', false)
  await producer.close()
  // The broker answers the end of a transaction before its marker stands in the partition.
  await expect
    .poll(async () => (await log.topic(topic)).partitions[0]?.endOffset, { timeout: 20_000 })
    .toBe(6)
  const batch = await log.read(topic, 0, 0, 10)
  expect(batch.entries.map(({ value, offset }) => [Buffer.from(value).toString(), offset])).toEqual([
    ['kept', 2],
  ])
  expect(batch.nextOffset).toBe(6)
  await log.commit('g', topic, new Map([[0, batch.nextOffset]]))
  expect(await log.groups()).toMatchObject([{ group: 'g', partitions: [{ lag: 0, lagMs: 0 }] }])
})

test('who comes after retention goes on at the beginning and is told; who stands beyond the end is stopped', async () => {
  await log.ensureTopic(topic, { partitionCount: 1, retentionMs: 3_600_000 })
  const now = Date.now()
  await log.append(
    topic,
    ['0', '1', '2', '3'].map((value) => ({ key: 'k', value: Buffer.from(value), timestampMs: now })),
  )
  await log.commit('slow', topic, new Map([[0, 1]]))
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: servers })
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 3n }] }] })
  await admin.close()
  expect(await log.read(topic, 0, 1, 10)).toMatchObject({ lost: 2, entries: [{ offset: 3 }], nextOffset: 4 })
  expect(await log.groups()).toMatchObject([{ partitions: [{ lost: 2, lag: 1 }] }])
  const abort = new AbortController()
  const seen: LogBatch[] = []
  for await (const batch of log.consume(topic, { group: 'slow', from: 'committed', signal: abort.signal })) {
    seen.push(batch)
    if (batch.nextOffset === 4) abort.abort()
  }
  expect(seen.reduce((sum, { lost }) => sum + lost, 0)).toBe(2)
  expect(seen.flatMap(({ entries }) => entries.map(({ offset }) => offset))).toEqual([3])
  const beyond = log.consume(topic, { from: new Map([[0, 99]]), signal: new AbortController().signal })
  await expect(beyond[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'LOG_OFFSET_UNKNOWN' })
  expect(await log.erase(topic, () => true)).toEqual({ kind: 'kept until retention', retentionMs: 3_600_000 })
  await log.ensureTopic(topic, { partitionCount: 1, retentionMs: 7_200_000 })
  expect(await log.erase(topic, () => true)).toMatchObject({ retentionMs: 7_200_000 })
})

test('by TLS and password; what is wrong is told within seconds', async () => {
  const secure = {
    servers: [process.env.ARUS_KAFKA_SECURE ?? ''],
    tls: { ca: readFileSync(process.env.ARUS_KAFKA_CA ?? '', 'utf8') },
    sasl: { mechanism: 'PLAIN', username: 'arus', password: process.env.ARUS_KAFKA_PASSWORD ?? '' } as const,
  }
  const secured = await openKafkaEventLog(secure)
  await secured.ensureTopic(topic, { partitionCount: 1 })
  expect(await secured.append(topic, [{ key: null, value: Buffer.from('x'), timestampMs: 1 }])).toHaveLength(
    1,
  )
  await secured.close()
  const wrong = { ...secure, sasl: { ...secure.sasl, password: 'guessed' } }
  await expect(openKafkaEventLog(wrong)).rejects.toMatchObject({
    code: 'LOG_ACCESS_DENIED',
    message: expect.not.stringContaining('guessed'),
  })
  const unverified = { ...secure, tls: {} }
  await expect(openKafkaEventLog(unverified)).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringContaining('certificate'),
  })
  await expect(openKafkaEventLog({ servers: secure.servers })).rejects.toMatchObject({
    name: 'EventLogError',
  })
  await expect(openKafkaEventLog({ servers: ['127.0.0.1:1'] })).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringContaining('127.0.0.1:1'),
  })
}, 30_000)
