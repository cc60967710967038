import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { concurrently } from '../src/concurrently.ts'
import { DeltaError } from '../src/index.ts'
import { DownloadCache, S3Storage, S3Store } from '../src/s3/index.ts'
import { seededFaults } from './fault-plan.ts'
import {
  type AppendRecord,
  appendOne,
  createLogTable,
  judge,
  NOTHING_WRONG,
  openLogTable,
  untilOpen,
} from './faults/append-loop.ts'
import { FaultyProxy, NETWORK_FAULTS } from './faulty-proxy.ts'
import type { S3Target } from './s3-environment.ts'

const RACERS = 8
/** Versions raced for; each is a write of every racer, of which a share is faulted. */
const RACES = Number(process.env.ARUS_S3_RACES ?? 30)
const APPENDS = Number(process.env.ARUS_S3_APPENDS ?? 15)
const FAULTED_SHARE = 0.35

/** Races for versions and writers of one table, on one S3 server behind a network that fails. */
export function s3FaultsSuite(s3: S3Target): void {
  let folder = ''
  let prefix = ''
  let proxy: FaultyProxy
  let direct: S3Store
  const stores: S3Store[] = []
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'arus-s3-'))
    prefix = `faults/${randomUUID()}`
    proxy = await FaultyProxy.start(
      s3.endpoint,
      seededFaults(20_261_124, { share: FAULTED_SHARE, kinds: NETWORK_FAULTS }),
    )
    direct = new S3Store(s3)
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) store.close()
    await proxy.close()
    const objects = await direct.list(s3.bucket, prefix)
    await concurrently(objects, 16, ({ key }) => direct.delete({ bucket: s3.bucket, key }))
    direct.close()
    rmSync(folder, { recursive: true })
  })

  const through = (store: S3Store, name: string) =>
    new S3Storage({
      store,
      bucket: s3.bucket,
      prefix,
      cache: new DownloadCache({ folder: join(folder, name) }),
    })
  const faulty = (name: string, attemptsMax = 5) => {
    const store = new S3Store({
      ...s3,
      endpoint: proxy.address,
      silenceMsMax: 250,
      retries: { attemptsMax, delayMsFirst: 5, delayMsMax: 40 },
    })
    stores.push(store)
    return through(store, name)
  }

  test('no version is won twice, none is lost, and nobody is told a wrong outcome', async () => {
    const racers = Array.from({ length: RACERS }, (_, i) => ({
      name: `racer ${i}`,
      storage: faulty(String(i), i % 2 === 0 ? 5 : 2),
    }))
    const truth = through(direct, 'direct')
    const tally = new Map<string, number>()
    for (let version = 0; version < RACES; version++) {
      const path = `_delta_log/${version}.json`
      const outcomes = await Promise.all(
        racers.map(async ({ name, storage }) => {
          const outcome = await storage.putIfAbsent(path, Buffer.from(name)).catch(codeOf)
          return { name, outcome }
        }),
      )
      const winner = await truth.read(path).then((bytes) => Buffer.from(bytes).toString(), codeOf)
      for (const { name, outcome } of outcomes) {
        tally.set(outcome, (tally.get(outcome) ?? 0) + 1)
        const possible =
          name === winner
            ? ['created', 'DELTA_OUTCOME_UNKNOWN']
            : ['exists', 'DELTA_OUTCOME_UNKNOWN', 'DELTA_STORAGE_UNAVAILABLE']
        expect(possible, `${name} of ${path}, won by ${winner}`).toContain(outcome)
      }
    }
    const hits = [...proxy.hits].filter(([fault]) => fault.startsWith('PUT'))
    expect(hits).toHaveLength(NETWORK_FAULTS.length)
    expect(tally.get('created')).toBeGreaterThan(RACES * 0.8)
    if (process.env.ARUS_S3_RACES !== undefined)
      console.info(
        `${RACES * RACERS} writes, ${sum(hits)} PUTs faulted, outcomes ${JSON.stringify([...tally])}`,
      )
  }, 3_600_000)

  test('writers of one table lose, double and deny no commit', async () => {
    await createLogTable(through(direct, 'direct'))
    const records = await Promise.all(
      [0, 1, 2].map(async (writer) => {
        const storage = faulty(`writer ${writer}`)
        const table = await untilOpen(() => openLogTable(storage))
        const told: AppendRecord[] = []
        for (let i = 0; i < APPENDS; i++) told.push(await appendOne(table, `w${writer}-${i}`))
        return told
      }),
    )
    const verdict = await judge(through(direct, 'direct'), records.flat())
    expect(verdict).toMatchObject(NOTHING_WRONG)
    const committed = records.flat().filter(({ outcome }) => typeof outcome === 'number')
    expect(committed.length).toBeGreaterThan(APPENDS)
    expect(sum([...proxy.hits])).toBeGreaterThan(APPENDS)
  }, 3_600_000)
}

function codeOf(error: unknown): string {
  if (error instanceof DeltaError) return error.code
  throw error
}

function sum(hits: readonly (readonly [string, number])[]): number {
  return hits.reduce((total, [, count]) => total + count, 0)
}
