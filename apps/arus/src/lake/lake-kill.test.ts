import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog } from '@arus/event-log'
import { expect, test } from 'vitest'
import { dataFolders, readSettings, type Settings } from '../config/settings.ts'
import { topicNames } from '../events/topics.ts'
import { openDuckDb } from './duckdb.ts'
import { expectAsAnew } from './expect-as-anew.ts'
import { type Lake, openLake } from './lake.ts'
import { rowsOf, testEvent } from './test-lake.ts'

/** Kills of one run; `LAKE_KILLS=1000` for a long one. */
const KILLS = Number(process.env.LAKE_KILLS ?? 8)
const EVENTS_PER_KILL = 300
/** Every second kill comes the moment a file of the lake appears, the others at some time up to this. */
const KILL_AFTER_MS_MAX = 400
const DAY = Date.UTC(2026, 2, 10)

test('kill -9 of the lake’s process at any moment: bronze is the log, silver and gold are bronze’s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-kill-'))
  const settings = readSettings(
    { ARUS_DATA_DIR: folder, ARUS_PARTITIONS: '3', ARUS_LOG_LEVEL: 'silent' },
    folder,
  )
  const folders = dataFolders(settings)
  mkdirSync(folders.lake, { recursive: true })
  const log = await openLmdbEventLog({ folder: folders.log })
  const duckdb = await openDuckDb({ temporaryFolder: folders.temporary, memoryBytes: 512 * 1024 * 1024 })
  const lake = openLake({ root: folders.lake, duckdb })
  try {
    const topics = topicNames(settings.shop)
    for (const topic of Object.values(topics)) await log.ensureTopic(topic, { partitionCount: 3 })
    const random = randomFrom(7)
    let hits = 0
    let leftOver = 0
    for (let kill = 0; kill < KILLS; kill++) {
      await append(log, topics.events, kill)
      await killed(settings, kill % 2 === 0 ? 'at a file' : random() * KILL_AFTER_MS_MAX)
      const count = await leftOverCount(lake, folders.lake)
      hits += count > leftOver ? 1 : 0
      leftOver = count
    }
    await finished(settings)
    expect(hits, 'kills that hit a write').toBeGreaterThanOrEqual(Math.floor(KILLS / 4))
    await expectBronzeIsLog(lake, log, topics.events)
    await expectAsAnew({ folder, lakeRoot: folders.lake, lake, duckdb })
  } finally {
    await lake.close()
    await duckdb.close()
    await log.close()
    rmSync(folder, { recursive: true })
  }
}, 600_000)

/** Events with repeats and late ones, and every 50th entry is none. */
async function append(log: EventLog, topic: string, round: number): Promise<void> {
  const records = Array.from({ length: EVENTS_PER_KILL }, (_, i) => {
    const n = round * EVENTS_PER_KILL + i
    const body = testEvent({
      event_id: `e${i % 7 === 0 ? n - 3 : n}`,
      user_id: `u${(n * 31) % 40}`,
      action: ['view', 'click', 'purchase'][n % 3] ?? 'view',
      price: 1.25,
      ts: DAY + ((n * 7919) % 4_000) * 60_000,
      received_at: DAY + n,
    })
    const value = n % 50 === 49 ? `no event ${n}` : JSON.stringify(body)
    return { key: body.user_id, value: Buffer.from(value), timestampMs: DAY }
  })
  await log.append(topic, records)
}

async function started(settings: Settings): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, '../server/lake-process.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.send(settings)
  await once(child, 'message')
  return child
}

/** Lets the process copy and refine, and kills it on the way. */
async function killed(settings: Settings, when: 'at a file' | number): Promise<void> {
  const child = await started(settings)
  const exited = once(child, 'exit')
  child.on('message', () => {})
  const kill = () => child.kill('SIGKILL')
  if (when === 'at a file') {
    const watcher = watch(dataFolders(settings).lake, { recursive: true }, (_, name) => {
      if (name?.endsWith('.parquet')) kill()
    })
    exited.finally(() => watcher.close())
  } else setTimeout(kill, when)
  child.send({ id: 1, what: 'refine' })
  await exited
}

async function finished(settings: Settings): Promise<void> {
  const child = await started(settings)
  child.send({ id: 1, what: 'refine' })
  const [answer] = (await once(child, 'message')) as [{ readonly failure: string | null }]
  expect(answer.failure).toBeNull()
  const exited = once(child, 'exit')
  child.send({ id: 2, what: 'stop' })
  await exited
}

/** Files that a write was at: temporary ones, and data files that no version names. */
async function leftOverCount(lake: Lake, root: string): Promise<number> {
  let count = 0
  for (const { name } of await lake.describe()) {
    const folder = join(root, ...name.split('.'))
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) =>
      path.replaceAll('\\', '/'),
    )
    const { files, tombstones } = await (await lake.table(name)).snapshot()
    const named = new Set([...files.keys(), ...tombstones.keys()].map(decodeURIComponent))
    count += paths.filter(
      (path) =>
        path.includes('.tmp-') ||
        (path.endsWith('.parquet') && !path.startsWith('_delta_log') && !named.has(path)),
    ).length
  }
  return count
}

async function expectBronzeIsLog(lake: Lake, log: EventLog, topic: string): Promise<void> {
  const events: unknown[][] = []
  const broken: unknown[][] = []
  for (const { partition } of (await log.topic(topic)).partitions) {
    const { entries } = await log.read(topic, partition, 0, 1_000_000)
    for (const { offset, value } of entries) {
      const text = Buffer.from(value).toString()
      if (text.startsWith('no event')) broken.push([partition, offset, text])
      else events.push([partition, offset, JSON.parse(text).event_id])
    }
  }
  const place = 'log_partition, log_offset'
  expect(events.length + broken.length).toBe(KILLS * EVENTS_PER_KILL)
  expect(await rowsOf(lake, `SELECT ${place}, event_id FROM {bronze.events} ORDER BY ${place}`)).toEqual(
    events,
  )
  expect(await rowsOf(lake, `SELECT ${place}, raw FROM {bronze.rejected_events} ORDER BY ${place}`)).toEqual(
    broken,
  )
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
