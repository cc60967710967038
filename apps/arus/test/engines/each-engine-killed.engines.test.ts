/** One server on all engines but Spark and Trino; each is killed in turn under load and comes back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, WITHOUT_ENGINES } from '../end-to-end/running-arus.ts'
import { ServerProcess } from '../faults/crash/server-process.ts'
import { Asking } from '../kafka/asking.ts'
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
const asking = new Asking(() => server.apiUrl)
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
  const before = await asking.liveCount()
  const load = new Load(() => server.apiUrl, await asking.products())
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

  await asking.expectCounted(load, { before, withinMs: ARRIVE_MS })
}, 600_000)

async function slotsDown(): Promise<string[]> {
  const { slots } = await asking.health()
  return slots.filter(({ status }) => status === 'down').map(({ slot }) => slot)
}

async function recommendedCount(): Promise<number> {
  const response = await asking.get('/recommendations/user/lane-0-0?limit=3')
  expect(response.status).toBe(200)
  return ((await response.json()) as { recommendations: unknown[] }).recommendations.length
}
