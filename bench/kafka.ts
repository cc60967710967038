import { randomUUID } from 'node:crypto'
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import { startEngine } from '../engines/start-engine.ts'
import { openKafkaEventLog } from '../packages/event-log/src/kafka/index.ts'

const PARTITIONS = 6
const VALUE_BYTES = 200
const BATCH = 5_000
const ROUNDS = 5

interface Taken {
  readonly seconds: number
  readonly cpuUs: number
}

/**
 * Appends and reads through the log's Kafka adapter, and by the client library alone, in turns on one broker:
 * `KAFKA_BOOTSTRAP_SERVERS`, or one that is started for it. Both sides: idempotent, acks=all, one send at a time.
 */
export async function benchKafka({ eventCount }: { readonly eventCount: number }): Promise<void> {
  await using engine = process.env.KAFKA_BOOTSTRAP_SERVERS ? null : await startEngine('kafka')
  const server = process.env.KAFKA_BOOTSTRAP_SERVERS ?? engine?.environment.KAFKA_BOOTSTRAP_SERVERS ?? ''
  const size = `${eventCount.toLocaleString('en')} records of ${VALUE_BYTES} bytes, ${PARTITIONS} partitions`
  console.log(`\nKafka, ${size}, median of ${ROUNDS} rounds`)
  const log = await openKafkaEventLog({ servers: [server] })
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: [server],
    idempotent: true,
    retries: 5,
  })
  const sides = {
    append: { ours: [] as Taken[], raw: [] as Taken[] },
    consume: { ours: [] as Taken[], raw: [] as Taken[] },
  }
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, raw] = [`bench.${randomUUID()}`, `bench.${randomUUID()}`]
    for (const topic of [ours, raw])
      await log.ensureTopic(topic, { partitionCount: PARTITIONS, retentionMs: 600_000 })
    sides.append.ours.push(await timed(() => appendOurs(log, ours, eventCount)))
    sides.append.raw.push(await timed(() => appendRaw(producer, raw, eventCount)))
    sides.consume.ours.push(await timed(() => consumeOurs(log, ours, eventCount)))
    sides.consume.raw.push(await timed(() => consumeRaw(server, raw, eventCount)))
  }
  await producer.close()
  await log.close()
  for (const [name, { ours, raw }] of Object.entries(sides)) {
    const [us, them] = [median(ours), median(raw)]
    console.log(
      `  ${name}: adapter ${rate(us, eventCount)}, client alone ${rate(them, eventCount)}; ` +
        `time × ${(us.seconds / them.seconds).toFixed(2)}, CPU × ${(us.cpuUs / them.cpuUs).toFixed(2)}`,
    )
  }
}

type Log = Awaited<ReturnType<typeof openKafkaEventLog>>

async function appendOurs(log: Log, topic: string, count: number): Promise<void> {
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  for (let from = 0; from < count; from += BATCH) {
    const records = Array.from({ length: BATCH }, (_, i) => ({
      key: `key-${(from + i) % 997}`,
      value,
      timestampMs: from,
    }))
    await log.append(topic, records)
  }
}

async function appendRaw(producer: Producer, topic: string, count: number): Promise<void> {
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  for (let from = 0; from < count; from += BATCH) {
    const messages = Array.from({ length: BATCH }, (_, i) => ({
      topic,
      key: Buffer.from(`key-${(from + i) % 997}`),
      value,
      timestamp: BigInt(from),
    }))
    await producer.send({ messages, acks: ProduceAcks.ALL })
  }
}

async function consumeOurs(log: Log, topic: string, count: number): Promise<void> {
  const abort = new AbortController()
  let seen = 0
  for await (const { entries } of log.consume(topic, { from: 'beginning', signal: abort.signal })) {
    seen += entries.length
    if (seen >= count) abort.abort()
  }
}

async function consumeRaw(server: string, topic: string, count: number): Promise<void> {
  const groupId = `bench-${randomUUID()}`
  const consumer = new Consumer({ clientId: 'bench', bootstrapBrokers: [server], groupId })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  })
  let seen = 0
  for await (const _ of stream) {
    seen += 1
    if (seen >= count) break
  }
  await consumer.close(true)
}

async function timed(work: () => Promise<void>): Promise<Taken> {
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - startedMs) / 1000, cpuUs: user + system }
}

function median(all: readonly Taken[]): Taken {
  const by = (of: (one: Taken) => number) =>
    all.map(of).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN
  return { seconds: by(({ seconds }) => seconds), cpuUs: by(({ cpuUs }) => cpuUs) }
}

function rate({ seconds, cpuUs }: Taken, count: number): string {
  return `${Math.round(count / seconds).toLocaleString('en')}/s at ${(cpuUs / count).toFixed(1)} µs CPU`
}
