/** One server on all engines but Spark and Trino; each is killed in turn under load and comes back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Health, LiveAnalyticsBody } from '../../src/api-schema/index.ts'
import { freePort, WITHOUT_ENGINES } from '../end-to-end/running-arus.ts'
import { ServerProcess } from '../faults/crash/server-process.ts'
import { Load, until } from '../kafka/load.ts'
import { OwnKafka } from '../kafka/own-kafka.ts'
import { ownMinio, ownMlflow } from './own-engine.ts'
import { ownPostgres } from './postgres-server.ts'
import { ownValkey } from './valkey-server.ts'

/** An engine, and the slot of health that names it. */
interface Victim {
  readonly slot: string
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

const NOTICED_MS = 30_000
const ARRIVE_MS = 120_000

const folder = mkdtempSync(join(tmpdir(), 'arus-each-'))
let victims: Victim[] = []
let server: ServerProcess
beforeAll(async () => {
  const [kafka, valkey, minio, postgres, mlflow] = await Promise.all([
    OwnKafka.start(),
    ownValkey(),
    ownMinio(),
    ownPostgres(),
    ownMlflow(),
  ])
  victims = [
    {
      slot: 'event log',
      kill: () => kafka.kill(),
      start: () => kafka.startAgain(),
      stop: () => kafka.stop(),
    },
    victimOf('live state', valkey),
    victimOf('object store', minio),
    victimOf('database', { ...postgres, kill: () => postgres.crash() }),
    victimOf('model registry', mlflow),
  ]
  const settings = {
    ...WITHOUT_ENGINES,
    ...minio.environment,
    ...mlflow.environment,
    KAFKA_BOOTSTRAP_SERVERS: kafka.server,
    DATABASE_URL: postgres.url,
    REDIS_URL: valkey.url,
    ARUS_PARTITIONS: '3',
    ARUS_LAKE_INTERVAL_MS: '300',
    ARUS_SQL_PROCESSES: '1',
    ARUS_LOG_LEVEL: 'silent',
  }
  const place = { dataDir: join(folder, 'data'), apiPort: await freePort(), dashboardPort: 0, settings }
  server = await ServerProcess.start(place, ['--size', '300', '--shoppers', '0'])
}, 300_000)
afterAll(async () => {
  await server?.kill('group')
  for (const { stop } of victims) await stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}, 120_000)

function victimOf(slot: string, engine: AsyncDisposable & Pick<Victim, 'kill' | 'start'>): Victim {
  return {
    slot,
    kill: () => engine.kill(),
    start: () => engine.start(),
    stop: () => Promise.resolve(engine[Symbol.asyncDispose]()),
  }
}

test('each engine killed in turn under load: answers go on, and accepted = live state = lake', async () => {
  await until(async () => (await slotsDown()).length === 0, NOTICED_MS)
  const before = (await live()).events_total
  const load = new Load(() => server.apiUrl, await products())
  await load.more(300)
  for (const { slot, kill, start } of victims) {
    await kill()
    await until(async () => (await slotsDown()).includes(slot), NOTICED_MS)
    expect(await recommendedCount(), slot).toBeGreaterThan(0)
    // Whatever else is away, what is in the log is taken.
    if (slot === 'event log') await until(() => load.refusals.length > 0, NOTICED_MS)
    else await load.more(200)
    await start()
    await until(async () => (await slotsDown()).length === 0, ARRIVE_MS)
    await load.more(200)
  }
  await load.stop()

  expect(new Set(load.refusals)).toEqual(new Set(['1']))
  expect(load.wrong).toEqual([])
  const accepted = load.acknowledged.size
  await until(async () => (await live()).events_total - before === accepted, ARRIVE_MS)
  const bronze = `SELECT count(DISTINCT event_id)::INT, (count(*) - count(DISTINCT (log_partition, log_offset)))::INT
    FROM bronze.events WHERE event_id LIKE 'load-%'`
  await until(async () => (await sql(bronze))[0]?.[0] === accepted, ARRIVE_MS)
  expect(await sql(bronze)).toEqual([[accepted, 0]])
  const silver = `SELECT count(*)::INT FROM silver.events WHERE event_id LIKE 'load-%'`
  await until(async () => (await sql(silver))[0]?.[0] === accepted, ARRIVE_MS)
}, 600_000)

async function get<T>(path: string): Promise<T> {
  const response = await fetch(server.apiUrl + path)
  expect(response.status, path).toBe(200)
  return (await response.json()) as T
}

const live = () => get<LiveAnalyticsBody>('/analytics')

async function slotsDown(): Promise<string[]> {
  // While the log is away the whole is down, and says so.
  const { slots } = (await (await fetch(`${server.apiUrl}/health`)).json()) as Health
  return slots.filter(({ status }) => status === 'down').map(({ slot }) => slot)
}

async function recommendedCount(): Promise<number> {
  const { recommendations } = await get<{ recommendations: unknown[] }>(
    '/recommendations/user/lane-0-0?limit=3',
  )
  return recommendations.length
}

async function products(): Promise<string[]> {
  const rows = await sql('SELECT product_id FROM silver.products ORDER BY product_id LIMIT 20')
  return rows.map(([id]) => String(id))
}

async function sql(text: string): Promise<unknown[][]> {
  const response = await fetch(`${server.apiUrl}/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql: text }),
  })
  if (!response.ok) return []
  return ((await response.json()) as { rows: unknown[][] }).rows
}
