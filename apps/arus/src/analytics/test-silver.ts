/** A lake whose silver a test writes as it likes, and random events for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ExperimentMark, ShadowAnswer } from '../experiments/treatment.ts'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openDuckDbQueryEngine } from '../query/duckdb-query-engine.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Period } from './period.ts'
import type { SilverEvent } from './plain-figures.ts'

/** Wednesday; summer time begins in Europe on Sunday the 29th at 1:00 UTC. */
export const START: number = Date.UTC(2026, 2, 25)
export const WHOLE: Period = { fromMs: START, toMs: START + 7 * DAY_MS }
export const TITLES: ReadonlyMap<string, string> = new Map([
  ['P0', 'Lamp'],
  ['P1', 'Chair'],
])

/** An answer as `bronze.recommendations` holds it. */
export interface StoredAnswer {
  readonly recommendation_id: string
  readonly scenario: string
  readonly model: string | null
  readonly version: number | null
  readonly generated_at: number
  /** In order of rank. */
  readonly products: readonly string[]
  readonly user_id?: string
  readonly session_id?: string
  readonly fallback?: string | null
  readonly took_ms?: number
  readonly experiments?: readonly ExperimentMark[]
  readonly shadows?: readonly ShadowAnswer[]
}

/** Writes tables as a test likes them. */
export interface SilverWriter {
  /** Makes these the events of silver. */
  store(events: readonly SilverEvent[]): Promise<void>
  /** Makes these the answers of bronze. */
  storeAnswers(answers: readonly StoredAnswer[]): Promise<void>
  /** Gives the products of `TITLES` their titles. */
  storeTitles(): Promise<void>
}

export interface Silver extends SilverWriter {
  readonly engine: QueryEngine
  close(): Promise<void>
}

export function silverOf(lake: Lake): SilverWriter {
  return {
    store: async (events) => {
      await lake.write('silver.events', eventsSql(events), { mode: 'overwrite' })
    },
    storeAnswers: async (answers) => {
      await lake.write('bronze.recommendations', answersSql(answers), { mode: 'overwrite' })
    },
    storeTitles: async () => {
      await lake.write('gold.product_stats', titlesSql(), { mode: 'overwrite' })
    },
  }
}

/** An empty lake in a folder of its own. */
export async function openSilver(): Promise<Silver> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-analytics-'))
  const duckdb = await openDuckDb({
    temporaryFolder: join(folder, 'tmp'),
    memoryBytes: 256 * 1024 * 1024,
  })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  const engine = await openDuckDbQueryEngine({ lake, lakeRoot: join(folder, 'lake') })
  return {
    engine,
    ...silverOf(lake),
    close: async () => {
      await engine.close()
      await lake.close()
      await duckdb.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function text(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
}

/** The rows as a FROM text; with none, one row of nulls that is left out. */
function valuesSql(rows: readonly (readonly string[])[], columns: readonly string[]): string {
  const [all, where] =
    rows.length === 0 ? [[columns.map(() => 'NULL')], 'WHERE false'] : ([rows, ''] as const)
  return `(SELECT * FROM (VALUES ${all.map((row) => `(${row.join(', ')})`).join(', ')}) t(${columns.join(', ')}) ${where})`
}

function eventsSql(events: readonly SilverEvent[]): string {
  const rows = events.map((e) => [
    ...[e.event_id, e.shopper, e.session, e.action, e.product_id, e.category].map(text),
    ...[`make_timestamptz(${e.ts} * 1000)`, String(e.price), String(e.quantity), text(e.order_id)],
    ...[text(e.recommendation_id), String(e.position), text(e.query), String(e.log_offset)],
    text(e.properties === null ? null : JSON.stringify(e.properties)),
  ])
  const columns =
    'event_id, shopper, session, action, product_id, category, ts, price, quantity, order_id, recommendation_id, position, query, log_offset, properties'
  return `SELECT event_id, shopper AS user_id, session AS session_id, NULL::VARCHAR AS anonymous_id, shopper, session, action,
      product_id, category, ts, ts AS received_at, price, quantity, order_id, recommendation_id, position, query, properties,
      0 AS log_partition, log_offset::BIGINT AS log_offset, ts::DATE AS event_date
    FROM ${valuesSql(rows, columns.split(', '))}`
}

function answersSql(answers: readonly StoredAnswer[]): string {
  const rows = answers.map((answer, i) => {
    const products = answer.products.map((product_id, at) => ({ product_id, rank: at + 1, score: 1 }))
    return [
      ...[answer.recommendation_id, answer.scenario, answer.model].map(text),
      ...[String(answer.version), `make_timestamptz(${answer.generated_at} * 1000)`],
      ...[
        text(JSON.stringify(products)),
        String(i),
        text(answer.user_id ?? null),
        text(answer.session_id ?? null),
      ],
      ...[text(answer.fallback ?? null), String(answer.took_ms ?? null)],
      ...[answer.experiments, answer.shadows].map((list) =>
        text(list === undefined ? null : JSON.stringify(list)),
      ),
    ]
  })
  const columns = [
    'recommendation_id',
    'scenario',
    'model_name',
    'model_version',
    'generated_at',
    'products',
    'place',
    'user_id',
    'session_id',
    'fallback',
    'took_ms',
    'experiments',
    'shadows',
  ]
  return `SELECT recommendation_id, user_id, scenario, fallback, model_name, model_version,
      generated_at, products, '{}' AS passport, 0 AS log_partition, place::BIGINT AS log_offset,
      generated_at::DATE AS generated_date, session_id, took_ms, experiments, shadows,
      NULL::VARCHAR AS rules, NULL::DOUBLE AS exploration_probability
    FROM ${valuesSql(rows, columns)}`
}

function titlesSql(): string {
  return `SELECT product_id, title, NULL::VARCHAR AS category, 0 AS events, 0 AS views, 0 AS clicks, 0 AS carts, 0 AS purchases,
      0 AS shoppers, 0 AS units, 0 AS revenue, NULL::TIMESTAMPTZ AS last_event_at
    FROM (VALUES ${[...TITLES].map(([id, title]) => `('${id}', '${title}')`).join(', ')}) t(product_id, title)`
}

/** An event with what a test does not care about filled in. */
export function silverEvent(fields: Partial<SilverEvent>, i = 0): SilverEvent {
  return {
    event_id: `e${i}`,
    shopper: 'ani',
    session: 's',
    action: 'view',
    product_id: 'P0',
    category: 'Home',
    ts: START,
    price: null,
    quantity: null,
    order_id: null,
    recommendation_id: null,
    position: null,
    query: null,
    properties: null,
    log_offset: i,
    ...fields,
  }
}

const CATEGORY_OF: Readonly<Record<string, string | null>> = {
  P0: 'Home',
  P1: 'Home',
  P2: "Kids' toys",
  P3: null,
}
const DEVICES = [
  null,
  {},
  { device: 'phone' },
  { device: 'tablet' },
  { device: 'phone', 'a/b~c': 7 },
] as const
const QUERIES = ['lamp', ' Lamp ', 'red  chair', 'RED CHAIR', '  ', null] as const

/** Events of a week, on whole quarters of an hour, so that times meet each other and the bounds of steps. */
export const eventsArbitrary: fc.Arbitrary<SilverEvent[]> = fc
  .array(
    fc.record({
      shopper: fc.constantFrom('ani', 'budi', 'cici', 'dedi', 'eka'),
      visit: fc.integer({ min: 0, max: 3 }),
      action: fc.constantFrom('view', 'view', 'click', 'add_to_cart', 'purchase', 'search', 'wish'),
      product: fc.constantFrom('P0', 'P1', 'P2', 'P3', null),
      ts: fc.integer({ min: 0, max: 7 * 96 }).map((quarter) => START + quarter * 15 * MINUTE_MS),
      cents: fc.option(fc.integer({ min: 0, max: 100_000 }), { freq: 4 }),
      quantity: fc.option(fc.integer({ min: 1, max: 3 })),
      order: fc.option(fc.integer({ min: 0, max: 2 })),
      properties: fc.constantFrom(...DEVICES),
      query: fc.constantFrom(...QUERIES),
    }),
    { maxLength: 120 },
  )
  .map((drawn) =>
    drawn.map(({ shopper, visit, product, cents, order, query, ...fields }, i) =>
      silverEvent(
        {
          ...fields,
          shopper,
          session: `${shopper} ${visit}`,
          product_id: product,
          category: product === null ? null : (CATEGORY_OF[product] ?? null),
          price: cents === null ? null : cents / 100,
          order_id: order === null ? null : `${shopper} order ${order}`,
          query: fields.action === 'search' ? query : null,
        },
        i,
      ),
    ),
  )

/** Answers `r0`, `r1`, … of a week and the day before it. */
export const answersArbitrary: fc.Arbitrary<StoredAnswer[]> = fc
  .array(
    fc.record({
      scenario: fc.constantFrom('home', 'cart'),
      model: fc.constantFrom('walk', null),
      generated_at: fc.integer({ min: -96, max: 7 * 96 }).map((quarter) => START + quarter * 15 * MINUTE_MS),
      products: fc.uniqueArray(fc.constantFrom('P0', 'P1', 'P2', 'P3'), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map((answer, i) => ({
      ...answer,
      recommendation_id: `r${i}`,
      version: answer.model === null ? null : 1 + (i % 2),
    })),
  )
/** Events that may follow from such answers. */
export const reactionsArbitrary: fc.Arbitrary<SilverEvent[]> = fc
  .array(
    fc.record({
      shopper: fc.constantFrom('ani', 'budi'),
      action: fc.constantFrom(
        'recommendation_viewed',
        'recommendation_clicked',
        'click',
        'purchase',
        'purchase',
        'view',
      ),
      product_id: fc.constantFrom('P0', 'P1', 'P2', null),
      recommendation_id: fc.constantFrom('r0', 'r1', 'r2', 'r9', null),
      ts: fc.integer({ min: 0, max: 7 * 24 }).map((hour) => START + hour * HOUR_MS),
      price: fc.option(fc.integer({ min: 1, max: 90 })),
    }),
    { maxLength: 60 },
  )
  .map((drawn) => drawn.map((fields, i) => silverEvent(fields, i)))

/** A stretch that begins within the week. */
export const periodArbitrary: fc.Arbitrary<Period> = fc
  .tuple(fc.integer({ min: 0, max: 7 * 96 }), fc.integer({ min: 1, max: 7 * 96 }))
  .map(([from, length]) => ({
    fromMs: START + from * 15 * MINUTE_MS,
    toMs: START + (from + length) * 15 * MINUTE_MS,
  }))

/** A value with its numbers rounded: equal but for the noise of adding doubles in another order. */
export function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) =>
      typeof field === 'number' ? Math.round(field * 1e6) / 1e6 + 0 : field,
    ),
  )
}
