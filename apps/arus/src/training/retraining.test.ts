import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openDuckDbQueryEngine } from '../query/duckdb-query-engine.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import type { ModelVersion } from '../registry/registry.ts'
import { type DriftFigures, driftSince, keepTraining, reasonOfAge, reasonOfDrift } from './retraining.ts'
import { HISTORY_START_MS, writeHistory } from './test-history.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const RULES = { everyMs: DAY, restMs: HOUR }
const NOW = HISTORY_START_MS + 30 * DAY

const version = (over: Partial<ModelVersion> = {}): ModelVersion => ({
  version: 3,
  kind: 'walk',
  status: 'production',
  metrics: {},
  params: {},
  table_versions: {},
  user_count: 10,
  product_count: 10,
  interaction_count: 10_000,
  size_bytes: 1,
  trained_at: NOW - 5 * HOUR,
  promoted_at: null,
  reason: '',
  outdated: false,
  ...over,
})

describe('by age and number', () => {
  const reason = (count: number, over: Partial<ModelVersion> = {}) => {
    const newest = version(over)
    return reasonOfAge({ newest, production: newest }, count, RULES, NOW)
  }

  test('the first model waits until there is something to learn', () => {
    const none = { newest: null, production: null }
    expect(reasonOfAge(none, 999, RULES, NOW)).toBeNull()
    expect(reasonOfAge(none, 1_000, RULES, NOW)).toBe('there is no model yet')
  })

  test('an old model is trained anew, but not where nothing came', () => {
    expect(reason(10_001, { trained_at: NOW - DAY })).toBe('version 3 is 24 hours old')
    expect(reason(10_000, { trained_at: NOW - 9 * DAY })).toBeNull()
  })

  test('a fifth more is enough, unless it was trained just now; less is looked at', () => {
    expect(reason(12_000)).toBe('20 % more interactions are there than it was trained from')
    expect(reason(99_000, { trained_at: NOW - HOUR / 2 })).toBeNull()
    expect(reason(11_999)).toBe('look')
    expect(reason(10_199)).toBeNull()
  })

  test('the model of an erased shopper goes, unless a newer one was not promoted', () => {
    const production = version({ outdated: true })
    expect(reasonOfAge({ newest: production, production }, 1, RULES, NOW)).toContain('erased')
    const newest = version({ version: 4 })
    expect(reasonOfAge({ newest, production }, 10_000, RULES, NOW)).toBeNull()
  })
})

test('by drift: new products, other categories, both only with enough to go by', () => {
  const drift = (over: Partial<DriftFigures>) =>
    reasonOfDrift({ before: 10_000, since: 1_000, unseenShare: 0, categoryShift: 0, ...over })
  expect(drift({})).toBeNull()
  expect(drift({ unseenShare: 0.1 })).toContain('10 %')
  expect(drift({ categoryShift: 0.3 })).toContain('0.30')
  expect(drift({ unseenShare: 1, categoryShift: 9, since: 199 })).toBeNull()
})

describe('on a lake', () => {
  let folder = ''
  let duckdb: DuckDb
  let lake: Lake
  let query: QueryEngine
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'arus-retraining-'))
    duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
    lake = openLake({ root: join(folder, 'lake'), duckdb })
    query = await openDuckDbQueryEngine({ lake, lakeRoot: join(folder, 'lake') })
    await writeHistory(lake, 1, 0.9)
  })
  afterEach(async () => {
    await query.close()
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  })

  /** Further views, of products drawn by `product` from the row number i. */
  const add = (count: number, product: string) =>
    lake.write(
      'silver.interactions',
      `SELECT 'n' || i AS shopper, ${product} AS product_id, 'view' AS action, 1 AS weight,
         make_timestamp(${(NOW + HOUR) * 1000})::TIMESTAMPTZ AS ts, DATE '2026-04-01' AS event_date FROM range(${count}) t(i)`,
      { mode: 'append' },
    )

  test('the same taste is no drift; one category alone, or products nobody had, are', async () => {
    expect(await driftSince(query, NOW)).toEqual({
      before: 3_000,
      since: 0,
      unseenShare: 0,
      categoryShift: 0,
    })
    await add(400, `'P' || hash(i) % 80`)
    const same = await driftSince(query, NOW)
    expect(same).toMatchObject({ before: 3_000, since: 400, unseenShare: 0 })
    expect(Math.abs(same.categoryShift)).toBeLessThan(0.05)
    await add(400, `'P' || 4 * (hash(i) % 20)`)
    expect((await driftSince(query, NOW)).categoryShift).toBeGreaterThan(0.25)
    await add(200, `'new' || i`)
    expect((await driftSince(query, NOW)).unseenShare).toBeCloseTo(0.2)
  })

  test('it trains when it is time, goes on after a failure, and stops when told', async () => {
    const versions: ModelVersion[] = []
    const reasons: string[] = []
    const faults: unknown[] = []
    const stop = new AbortController()
    await keepTraining({
      registry: { list: async () => versions.toReversed(), production: async () => versions.at(-1) ?? null },
      query,
      rules: { everyMs: DAY, restMs: 0 },
      now: () => NOW + 2 * HOUR,
      lookEveryMs: 1,
      signal: stop.signal,
      async train(reason) {
        reasons.push(reason)
        if (reasons.length === 1) throw new TypeError('disk full')
        if (reasons.length === 2) {
          versions.push(version({ interaction_count: 3_000, trained_at: NOW }))
          await add(500, `'new' || i`)
        } else stop.abort()
      },
      onFault: (error) => faults.push(error),
    })
    expect(reasons).toEqual([
      'there is no model yet',
      'there is no model yet',
      '100 % of what was done since was with products the model does not know',
    ])
    expect(faults).toEqual([new TypeError('disk full')])
  })
})
