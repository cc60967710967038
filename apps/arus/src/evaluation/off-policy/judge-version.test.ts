import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seededRandom } from '../../catalogue/seeded-random.ts'
import { openDuckDb } from '../../lake/duckdb.ts'
import { type Lake, openLake } from '../../lake/lake.ts'
import { openDuckDbQueryEngine } from '../../query/duckdb-query-engine.ts'
import type { QueryEngine } from '../../query/query-engine.ts'
import type { Passport } from '../../recommend/passport/passport.ts'
import type { RecomputeSource } from '../../recommend/passport/recompute.ts'
import { createRecommender } from '../../recommend/recommender.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from '../../recommend/test-shop.ts'
import type { ModelVersion } from '../../registry/registry.ts'
import { ruleOf } from '../../rules/test-rules.ts'
import { writeEvaluation } from '../write-evaluation.ts'
import { asEvaluation, type JudgeVersionOptions, judgeVersion } from './judge-version.ts'

const TRAINED_AT = Date.UTC(2026, 4, 1)
const POOL = ['p1', 'p2', 'p3', 'p4']
/** How often each product is clicked when it is shown: the target shows the one that is clicked most. */
const CLICKS: Readonly<Record<string, number>> = { p1: 0.2, p2: 0.1, p3: 0.6, p4: 0.3 }
const versions = [
  { version: 2, kind: 'walk', status: 'candidate', outdated: false, trained_at: TRAINED_AT },
  { version: 1, kind: 'walk', status: 'production', outdated: false, trained_at: TRAINED_AT - 1 },
] as ModelVersion[]

let folder = ''
let lake: Lake
let query: QueryEngine
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-off-policy-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  query = await openDuckDbQueryEngine({ lake, lakeRoot: join(folder, 'lake') })
})
afterEach(async () => {
  await query.close()
  await lake.close()
  await lake.duckdb.close()
  rmSync(folder, { recursive: true })
})

/** A shopper who looked at p0; version 1 answers p1, version 2 answers p3. */
async function openShop() {
  const catalogue = new ShopCatalogue(['p0', ...POOL].map((id) => productNamed(id)))
  const live = new ShopLive(() => TRAINED_AT)
  live.act('ani', 'p0')
  const passports: Passport[] = []
  const recommender = createRecommender({
    catalogue: () => catalogue,
    live: () => live,
    model: () => new ShopModel({ p0: ['p1'] }),
    onAnswer: (passport) => passports.push(passport),
    now: () => TRAINED_AT,
    uuid: () => 'answer',
  })
  await recommender.forUser('ani', { limit: 1 })
  const source: RecomputeSource = {
    readEvents: (places) => live.eventsAt(places),
    loadModel: async (version) =>
      version === 2 ? new ShopModel({ p0: ['p3'] }) : { gone: `no version ${version}` },
    catalogue: () => catalogue,
    rulesAt: async () => null,
  }
  return { passport: passports[0]!, source }
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`

/** Answers whose one place was drawn from the pool (or was not), and the clicks on them. */
async function store(passport: Passport, count: number, { explores = true, atMs = TRAINED_AT + 1_000 } = {}) {
  const random = seededRandom(5)
  const answers: string[] = []
  const clicks: string[] = []
  for (let n = 0; n < count; n++) {
    const shown = explores ? POOL[random.below(POOL.length)]! : 'p1'
    const result = [{ ...passport.result[0]!, product_id: shown, ...(explores ? { propensity: 0.25 } : {}) }]
    const stored = {
      ...passport,
      user_id: `u${n}`,
      recommendation_id: `a${n}`,
      generated_at: atMs + n,
      result,
    }
    const at = `make_timestamptz(${atMs + n} * 1000)`
    answers.push(`(${n}, ${text(JSON.stringify(stored))}, ${text(JSON.stringify(result))}, ${at})`)
    if (random.next() < CLICKS[shown]!) clicks.push(`(${n}, ${text(shown)}, ${at})`)
  }
  await lake.write(
    'bronze.recommendations',
    `SELECT 'a' || n AS recommendation_id, 'ani' AS user_id, 'home' AS scenario, NULL::VARCHAR AS fallback, 'walk' AS model_name,
       1 AS model_version, moment AS generated_at, products, passport, 0 AS log_partition, n::BIGINT AS log_offset, moment::DATE AS generated_date, NULL::VARCHAR AS rules, NULL::DOUBLE AS exploration_probability, NULL::VARCHAR AS session_id, NULL::DOUBLE AS took_ms,
       NULL::VARCHAR AS experiments, NULL::VARCHAR AS shadows
     FROM (VALUES ${answers.join(', ')}) t(n, passport, products, moment)`,
    { mode: 'overwrite' },
  )
  await lake.write(
    'silver.events',
    `SELECT 'e' || n AS event_id, 'ani' AS user_id, 's' AS session_id, NULL::VARCHAR AS anonymous_id, 'ani' AS shopper, 's' AS session,
       'recommendation_clicked' AS action, product AS product_id, NULL::VARCHAR AS category, moment + INTERVAL 1 SECOND AS ts, moment AS received_at,
       NULL::DOUBLE AS price, NULL::DOUBLE AS quantity, NULL::VARCHAR AS order_id, 'a' || n AS recommendation_id, 1 AS position,
       NULL::VARCHAR AS query, NULL::VARCHAR AS properties, 0 AS log_partition, n::BIGINT AS log_offset, moment::DATE AS event_date
     FROM (VALUES ${clicks.join(', ')}) t(n, product, moment)`,
    { mode: 'overwrite' },
  )
}

function judge(source: RecomputeSource, options: Partial<JudgeVersionOptions> = {}) {
  return judgeVersion({
    registry: { list: async () => versions },
    query,
    source,
    version: null,
    reward: 'click',
    limit: 10_000,
    now: () => TRAINED_AT + 86_400_000,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...options,
  })
}

describe('a version that did not answer', () => {
  test('is judged by answers that were drawn: the clicks it would have had, not those there were', async () => {
    const { passport, source } = await openShop()
    await store(passport, 800)
    const judgement = await judge(source)
    const { estimate } = judgement
    expect(judgement).toMatchObject({ version: 2, answer_count: 800, explored_count: 800, left_out: [] })
    // Shown uniformly, a product in four is the target's; the clicks there were are those of all four.
    expect(estimate.logged.mean).toBeCloseTo(0.3, 1)
    for (const one of [estimate.ips, estimate.snips, estimate.doublyRobust!]) {
      expect(one.low).toBeLessThan(0.6)
      expect(one.high).toBeGreaterThan(0.6)
      expect(one.low).toBeGreaterThan(0.4)
    }
    expect(estimate.gain.low).toBeGreaterThan(0.1)
    expect(estimate.matchCount).toBeGreaterThan(150)
    expect(estimate.meanWeight.low).toBeLessThan(1)
    expect(estimate.meanWeight.high).toBeGreaterThan(1)

    await writeEvaluation(lake, asEvaluation(judgement, { runId: 'r', evaluatedAtMs: 1 }))
    const { rows } = await query.query(
      `SELECT metric, value, users FROM gold.evaluations WHERE model = 'version 2' AND metric = 'click_snips'`,
    )
    expect(rows).toEqual([['click_snips', estimate.snips.mean, 800]])
  })

  test('it answers by the rules of then, without what they drew', async () => {
    const { passport, source } = await openShop()
    const under = { ...passport, rules: { revision: 7, in_force_at: TRAINED_AT, applied: [] } }
    await store(under, 400)
    const rules = [
      ruleOf({ kind: 'explore', probability: 1, pool: 3 }),
      ruleOf({ kind: 'exclude', products: ['p2'] }),
    ]
    const asked: number[] = []
    const { estimate } = await judge({
      ...source,
      rulesAt: async (revision) => {
        asked.push(revision)
        return rules
      },
    })
    expect(new Set(asked)).toEqual(new Set([7]))
    expect(estimate.snips.low).toBeGreaterThan(0.4)
  })

  test('answers that cannot be given again are counted with the reason', async () => {
    const { passport, source } = await openShop()
    await store(passport, 4)
    const gone = judge({ ...source, readEvents: async (places) => places.map(() => null) })
    await expect(gone).rejects.toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringMatching(/None of the 4 answers can be given again: .* no longer in the log/),
    })
  })
})

describe('where nothing can be said it says what to do', () => {
  test('no answer since the version was trained: what it has learnt from is no test', async () => {
    const { passport, source } = await openShop()
    await store(passport, 10, { atMs: TRAINED_AT - 60_000 })
    await expect(judge(source)).rejects.toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringContaining('it has learnt from the clicks'),
    })
  })

  test('nothing was explored', async () => {
    const { passport, source } = await openShop()
    await store(passport, 10, { explores: false })
    await expect(judge(source)).rejects.toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringMatching(/None of the 10 answers .* Switch on a rule that explores/),
    })
  })

  test('too little was explored', async () => {
    const { passport, source } = await openShop()
    await store(passport, 20)
    await expect(judge(source)).rejects.toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringContaining('explore longer'),
    })
  })

  test('no such version', async () => {
    const { source } = await openShop()
    await expect(judge(source, { version: 7 })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
    const registry = { list: async () => versions.slice(1) }
    await expect(judge(source, { registry })).rejects.toThrow(/no version but the one in production/)
  })
})
