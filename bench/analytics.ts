import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Analytics, createAnalytics } from '../apps/arus/src/analytics/analytics.ts'
import { openDuckDb } from '../apps/arus/src/lake/duckdb.ts'
import { type Lake, openLake } from '../apps/arus/src/lake/lake.ts'
import { openDuckDbQueryEngine } from '../apps/arus/src/query/duckdb-query-engine.ts'
import type { QueryEngine } from '../apps/arus/src/query/query-engine.ts'
import { openTrinoQueryEngine } from '../apps/arus/src/query/trino/trino-query-engine.ts'
import { TrinoTables } from '../apps/arus/src/query/trino/trino-tables.ts'
import { startEngine } from '../engines/start-engine.ts'
import { type Comparison, printComparisons } from './measure.ts'

const MEMORY_BYTES = 1024 * 1024 * 1024
const START_MS = Date.UTC(2026, 0, 1)
const PERIOD = { fromMs: START_MS, toMs: START_MS + 14 * 86_400_000 }
const SHOPPERS = 50_000
const ANSWERS = 20_000
const ROUNDS = 3

type Question = (analytics: Analytics) => Promise<object>

const QUESTIONS: Readonly<Record<string, Question>> = {
  'user behaviour': (a) => a.userBehavior(PERIOD),
  funnel: (a) => a.funnel(PERIOD),
  'funnel, exact, by category': (a) => a.funnel({ ...PERIOD, order: 'exact', splitBy: 'category' }),
  'funnel, any order': (a) => a.funnel({ ...PERIOD, order: 'any' }),
  timeline: (a) => a.timeline({ ...PERIOD, interval: 'hour' }),
  heatmap: (a) => a.heatmap({ ...PERIOD, timeZone: 'Asia/Jakarta' }),
  trends: (a) => a.trends({ ...PERIOD, interval: 'day' }),
  retention: (a) => a.retention({ ...PERIOD, interval: 'day' }),
  attribution: (a) => a.attribution(PERIOD),
  searches: (a) => a.searches(PERIOD),
  'one shopper': (a) => a.shopper({ ...PERIOD, shopper: 'user-7', limit: 50 }),
}

/**
 * Every question of analytics over two weeks of `eventCount` events and 20,000 answers of ten products, none of them kept: CPU time and the
 * clock on DuckDB, medians of 3. With `ANALYTICS_TRINO=1` on a Trino of its own too, against the same statements sent to it without Arus.
 */
export async function benchAnalytics({ eventCount }: { readonly eventCount: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-analytics-'))
  const root = join(folder, 'lake')
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: MEMORY_BYTES })
  const lake = openLake({ root, duckdb })
  const engine = await openDuckDbQueryEngine({ lake, lakeRoot: root })
  try {
    await lake.write('silver.events', eventsSql(eventCount), { mode: 'append' })
    await lake.write('bronze.recommendations', answersSql(), { mode: 'append' })
    console.log(`\nanalytics, ${eventCount.toLocaleString('en')} events, on DuckDB`)
    for (const [name, question] of Object.entries(QUESTIONS)) {
      const { milliseconds, cpuMilliseconds } = await ask(engine, question)
      console.log(
        `  ${name.padEnd(28)} ${milliseconds.toFixed(0)} ms, ${cpuMilliseconds.toFixed(0)} ms of CPU`,
      )
    }
    if (process.env.ANALYTICS_TRINO === '1') await benchTrino(lake)
  } finally {
    await engine.close()
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  }
}

async function benchTrino(lake: Lake): Promise<void> {
  await using trino = await startEngine('trino', { log: (line) => console.error(line) })
  const { TRINO_URL: url = '', TRINO_CATALOG: catalog = '' } = trino.environment
  const settings = { url, catalog, user: 'arus', password: null }
  const tables = new TrinoTables({ settings, lake, now: Date.now })
  const engine = openTrinoQueryEngine({ tables, lake })
  const comparisons: Comparison[] = []
  for (const [what, question] of Object.entries(QUESTIONS)) {
    const statements: Statement[] = []
    await recording(statements, () => ask(engine, question))
    const bare: number[] = []
    for (const statement of statements) bare.push(await millisecondsOf(statement))
    const theirs = bare.reduce((sum, one) => sum + one, 0) / ROUNDS
    const { milliseconds } = await ask(engine, question)
    comparisons.push({ what, ours: milliseconds, theirs, unit: 'ms', budget: 'none' })
  }
  printComparisons('analytics on Trino, against the same statements alone', comparisons)
  await engine.close()
}

interface Statement {
  readonly url: string
  readonly request: RequestInit
}

/** Keeps what is sent to Trino meanwhile. */
async function recording(statements: Statement[], work: () => Promise<unknown>): Promise<void> {
  const { fetch } = globalThis
  globalThis.fetch = (url, request) => {
    if (request?.method === 'POST') {
      const { signal: _, ...rest } = request
      statements.push({ url: String(url), request: rest })
    }
    return fetch(url, request)
  }
  try {
    await work()
  } finally {
    globalThis.fetch = fetch
  }
}

/** Trino's client protocol and nothing else. */
async function millisecondsOf({ url, request }: Statement): Promise<number> {
  const startedAt = performance.now()
  let { nextUri } = (await (await fetch(url, request)).json()) as { nextUri?: string }
  while (nextUri !== undefined) ({ nextUri } = (await (await fetch(nextUri)).json()) as { nextUri?: string })
  return performance.now() - startedAt
}

interface Cost {
  readonly milliseconds: number
  readonly cpuMilliseconds: number
}

async function ask(query: QueryEngine, question: Question): Promise<Cost> {
  const analytics = createAnalytics({ query, now: () => PERIOD.toMs, cacheEntries: 0 })
  const costs: Cost[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [startedAt, before] = [performance.now(), process.cpuUsage()]
    await question(analytics)
    const { user, system } = process.cpuUsage(before)
    costs.push({ milliseconds: performance.now() - startedAt, cpuMilliseconds: (user + system) / 1000 })
  }
  const median = (pick: (cost: Cost) => number) => costs.map(pick).sort((a, b) => a - b)[ROUNDS >> 1]!
  return {
    milliseconds: median((cost) => cost.milliseconds),
    cpuMilliseconds: median((cost) => cost.cpuMilliseconds),
  }
}

/** Sessions of twenty events, each about the products of one answer. */
function eventsSql(count: number): string {
  const shopper = `'user-' || ((i // 20) * 7919 % ${SHOPPERS})`
  const answer = drawn('i // 20', ANSWERS)
  const moment = momentSql(count)
  return `SELECT 'event-' || i AS event_id, ${shopper} AS user_id, NULL AS session_id, NULL AS anonymous_id,
      ${shopper} AS shopper, 'session-' || (i // 20) AS session,
      ['view', 'search', 'click', 'view', 'recommendation_clicked', 'add_to_cart', 'view', 'purchase'][1 + ${drawn('i', 8)}] AS action,
      ${productSql(answer, drawn('i + 1', 10))} AS product_id, CASE WHEN i % 9 > 0 THEN 'Category ' || i % 248 END AS category,
      ${moment} AS ts, ${moment} AS received_at, round(i * 0.37 % 300, 2) AS price, 1 + i % 3 AS quantity,
      NULL AS order_id, CASE WHEN i % 3 = 0 THEN 'answer-' || ${answer} END AS recommendation_id,
      CASE WHEN i % 2 = 0 THEN i % 10 END AS position, 'query ' || ${drawn('i + 3', 3_000)} AS query, NULL AS properties,
      i % 4 AS log_partition, i // 4 AS log_offset, ${moment}::DATE AS event_date
    FROM range(${count}) r(i)`
}

function answersSql(): string {
  const products = Array.from(
    { length: 10 },
    (_, at) => `{product_id: ${productSql('i', String(at))}, rank: ${at + 1}, score: 1}`,
  )
  const moment = momentSql(ANSWERS)
  return `SELECT 'answer-' || i AS recommendation_id, NULL AS user_id, ['home', 'product', 'cart'][1 + i % 3] AS scenario, NULL AS fallback,
      'walk' AS model_name, 1 + i // 10000 AS model_version, ${moment} AS generated_at, to_json([${products.join(', ')}])::VARCHAR AS products,
      '{}' AS passport, 0 AS log_partition, i AS log_offset, ${moment}::DATE AS generated_date, NULL AS session_id, 1.5 AS took_ms,
      NULL AS experiments, NULL AS shadows, NULL AS rules, NULL AS exploration_probability
    FROM range(${ANSWERS}) r(i)`
}

/** A whole number below `limit` that looks drawn. */
function drawn(from: string, limit: number): string {
  return `(hash(${from}) % ${limit})::BIGINT`
}

function productSql(answer: string, place: string): string {
  return `'B' || (${answer} * 7 + ${place}) % 50000`
}

/** Of row `i` of `count`, evenly over the period. */
function momentSql(count: number): string {
  const stepUs = Math.floor(((PERIOD.toMs - PERIOD.fromMs) * 1000) / count)
  return `make_timestamp(${START_MS * 1000} + i * ${stepUs})::TIMESTAMPTZ`
}
