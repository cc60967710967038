import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateCatalogueFiles } from '../src/catalogue/generate.ts'
import { arus, freePort, type Place, WITHOUT_ENGINES } from './end-to-end/running-arus.ts'
import { ServerProcess } from './faults/crash/server-process.ts'
import { Asking } from './kafka/asking.ts'
import { Load, until } from './kafka/load.ts'
import { OwnKafka } from './kafka/own-kafka.ts'

const ARRIVE_MS = 60_000

let folder: string
let kafka: OwnKafka
let place: Place
let args: readonly string[]
let server: ServerProcess
const asking = new Asking(() => server.apiUrl)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-kafka-'))
  const [own, files] = await Promise.all([
    OwnKafka.start(),
    generateCatalogueFiles({ folder: join(folder, 'shop'), productCount: 100, seed: 1 }),
  ])
  kafka = own
  args = ['--products', files.productsFile, '--categories', files.categoriesFile, '--shoppers', '0']
  place = {
    dataDir: join(folder, 'data'),
    apiPort: await freePort(),
    dashboardPort: 0,
    settings: {
      ...WITHOUT_ENGINES,
      KAFKA_BOOTSTRAP_SERVERS: kafka.server,
      KAFKA_TOPIC: 'clicks',
      ARUS_PARTITIONS: '3',
      ARUS_LAKE_INTERVAL_MS: '300',
      ARUS_SQL_PROCESSES: '1',
      ARUS_TRAIN_EVERY_HOURS: '0',
    },
  }
  server = await ServerProcess.start(place, args)
})
afterAll(async () => {
  await server?.kill('group')
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('the server killed, then the broker killed, both under load: accepted = live = bronze, and the API says 503 meanwhile', async () => {
  const before = await asking.liveCount()
  const load = new Load(() => server.apiUrl, await asking.products())
  await load.more(500)

  await server.kill('group')
  server = await ServerProcess.start(place, args)
  await load.more(500)

  await kafka.kill()
  await until(() => load.refusals.length > 0, 30_000)
  expect((await asking.get('/recommendations/trending?limit=3')).status).toBe(200)
  expect((await asking.get('/recommendations/user/lane-0-0?limit=3')).status).toBe(200)
  await until(async () => (await asking.health()).status === 'down', 10_000)
  await kafka.startAgain()
  await load.more(500)
  await load.stop()

  await asking.expectCounted(load, { before, withinMs: ARRIVE_MS })
  await until(
    async () => (await asking.health()).slots.find(({ slot }) => slot === 'event log')?.status === 'ok',
    ARRIVE_MS,
  )
  // Kafka's own offsets say that nothing is left to do.
  await until(async () => (await lag('live')) === 0 && (await lag('lake')) === 0, ARRIVE_MS)
}, 170_000)

test('events of the console producer and of kafka-python are taken by the rules of ingest, live and in the lake alike', async () => {
  const [product] = await asking.products()
  const ts = Date.now() - 60_000
  await byConsole([
    `{"user_id": 7001, "action": "view", "product_id": "${product}"}`,
    `{"user_id": 7001, "action": "click", "product_id": "${product}", "event_id": "foreign-1", "ts": ${ts}, "shelf": "top"}`,
    `{"user_id": 7001, "action": "click", "product_id": "${product}", "event_id": "foreign-1", "ts": ${ts}}`,
    '{"user_id": 7001, "action": "Look!"}',
    'no JSON at all',
  ])
  await byPython(`
import json, os
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers='${kafka.server}', acks='all')
for event in [
    {'user_id': 'from-python', 'action': 'view', 'product_id': '${product}', 'ts': ${ts}},
    {'user_id': 'from-python', 'action': 'purchase', 'product_id': '${product}', 'price': 2.5, 'quantity': 2},
    {'user_id': 'from-python', 'action': 'purchase', 'price': 'free'},
]:
    producer.send('clicks', key=b'from-python', value=json.dumps(event).encode())
producer.flush()
`)
  await until(async () => (await eventsOf('7001')) === 2 && (await eventsOf('from-python')) === 2, ARRIVE_MS)
  const rows = `SELECT user_id, action, event_id = 'foreign-1', event_id LIKE 'clicks/%', ts = received_at, properties
    FROM silver.events WHERE user_id IN ('7001', 'from-python') ORDER BY user_id, ts, action`
  await until(async () => (await asking.sql(rows)).length === 4, ARRIVE_MS)
  expect(await asking.sql(rows)).toEqual([
    ['7001', 'click', true, false, false, '{"shelf":"top"}'],
    ['7001', 'view', false, true, true, null],
    ['from-python', 'view', false, true, false, null],
    ['from-python', 'purchase', false, true, true, null],
  ])
  const rejected = `SELECT reason FROM bronze.rejected_events WHERE log_topic = 'clicks' ORDER BY reason`
  await until(async () => (await asking.sql(rejected)).length === 3, ARRIVE_MS)
  expect((await asking.sql(rejected)).map(([reason]) => String(reason).slice(0, 40))).toEqual([
    expect.stringMatching(/^"purchase" needs the product_id/),
    expect.stringMatching(/^an action is lower-case letters/),
    expect.stringMatching(/^the entry is not JSON/),
  ])
}, 120_000)

test('who was forgotten stays so when live state is made from the log, which Kafka keeps', async () => {
  await until(async () => (await eventsOf('from-python')) === 2, ARRIVE_MS)
  const forgotten = await fetch(`${server.apiUrl}/users/from-python`, { method: 'DELETE' })
  expect(await forgotten.json()).toMatchObject({
    remains: expect.arrayContaining([expect.objectContaining({ place: 'log clicks' })]),
  })
  const [before, others] = [await asking.liveCount(), await eventsOf('7001')]
  await server.kill('group')
  expect(await arus(place, 'rebuild', 'live')).toMatchObject({ status: 0 })
  server = await ServerProcess.start(place, args)
  expect(await eventsOf('from-python')).toBe(0)
  expect(await eventsOf('7001')).toBe(others)
  expect(await asking.liveCount()).toBe(before)
}, 120_000)

async function eventsOf(shopper: string): Promise<number> {
  const response = await asking.get(`/users/${shopper}`)
  return response.ok ? ((await response.json()) as { events: number }).events : 0
}

async function lag(group: string): Promise<number> {
  const body = await (await asking.get('/system/metrics')).json()
  const groups = (body as { consumer_groups: { group: string; lag: number }[] }).consumer_groups
  return groups.find((one) => one.group === group)?.lag ?? Number.NaN
}

function byConsole(lines: readonly string[]): Promise<void> {
  const main = 'org.apache.kafka.tools.ConsoleProducer'
  const command = [
    '-cp',
    join(kafka.libs, '*'),
    main,
    '--bootstrap-server',
    kafka.server,
    '--topic',
    'clicks',
  ]
  return run('java', command, `${lines.join('\n')}\n`)
}

function byPython(script: string): Promise<void> {
  return run(kafka.python, ['-'], script)
}

async function run(command: string, commandArgs: readonly string[], input: string): Promise<void> {
  const child = spawn(command, commandArgs, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${said}`)
}
