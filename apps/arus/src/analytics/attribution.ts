import type { Attribution } from '../api-schema/index.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import { askLake, dateSql, momentSql } from './lake-question.ts'
import { DAY_MS, type Period } from './period.ts'
import { money, ratio } from './user-behavior.ts'

/** From click to purchase at most, unless another time is asked for. */
export const WINDOW_DEFAULT_MS: number = 7 * DAY_MS
const ROWS_MAX = 100
/** A sender's clock may be this far behind. */
const CLOCK_SKEW_MS = DAY_MS

/** Sums over products of answers. */
interface Counts {
  readonly answers: number
  readonly shown: number
  readonly seen: number
  readonly clicked: number
  readonly clicked_of_seen: number
  readonly purchases: number
  readonly revenue: number
  readonly view_purchases: number
  readonly view_revenue: number
}

interface Row {
  readonly total: Counts
  readonly scenarios: readonly (Counts & { readonly scenario: string })[] | null
  readonly positions: readonly (Counts & { readonly position: number })[] | null
  readonly models:
    | readonly (Counts & { readonly model: string | null; readonly version: number | null })[]
    | null
}

const COUNTS = `count(DISTINCT recommendation_id) AS answers, count(*) AS shown, count(seen_at) AS seen,
    count(clicked_at) AS clicked, count(*) FILTER (clicked_at IS NOT NULL AND seen_at IS NOT NULL) AS clicked_of_seen,
    coalesce(sum(purchases), 0) AS purchases, coalesce(sum(revenue), 0) AS revenue,
    coalesce(sum(view_purchases), 0) AS view_purchases, coalesce(sum(view_revenue), 0) AS view_revenue`
const COUNT_FIELDS = [
  'answers',
  'shown',
  'seen',
  'clicked',
  'clicked_of_seen',
  'purchases',
  'revenue',
  'view_purchases',
  'view_revenue',
]
  .map((name) => `${name}: ${name}`)
  .join(', ')
const LATEST = '(log_partition, log_offset)'

/** What came of the answers given in a period: seen, clicked, bought; defined in `docs/ANALYTICS.md`. */
export async function attribution(
  query: QueryEngine,
  period: Period,
  windowMs: number = WINDOW_DEFAULT_MS,
): Promise<Attribution> {
  const row = await askLake<Row>(query, {
    period,
    with: attributedSql(period, windowMs),
    figures: {
      total: `SELECT {${COUNT_FIELDS}} FROM (SELECT ${COUNTS} FROM products)`,
      scenarios: byColumns(['scenario'], 'shown DESC, scenario'),
      positions: byColumns(['position'], 'position'),
      models: byColumns(['model', 'version'], 'shown DESC, model NULLS LAST, version DESC'),
    },
  })
  return {
    from: period.fromMs,
    to: period.toMs,
    window_ms: windowMs,
    total: figuresOf(row.total),
    by_scenario: (row.scenarios ?? []).map(({ scenario, ...counts }) => ({ scenario, ...figuresOf(counts) })),
    by_position: (row.positions ?? []).map(({ position, ...counts }) => ({ position, ...figuresOf(counts) })),
    by_model: (row.models ?? []).map(({ model, version, ...counts }) => ({
      model,
      version,
      ...figuresOf(counts),
    })),
    as_of: row.asOf,
  }
}

/** `name AS (SELECT …)` texts that end in `products`: a row per product of an answer of the period, and what came of it. */
export function attributedSql(period: Period, windowMs: number): string[] {
  return [...happenedSql(period, windowMs), ...creditSql(windowMs), productsSql()]
}

/** Answers and the events that may follow from them. What is before the period may take a purchase from what is in it. */
function happenedSql({ fromMs, toMs }: Period, windowMs: number): string[] {
  const sinceMs = fromMs - windowMs - CLOCK_SKEW_MS
  const since = `event_date >= ${dateSql(sinceMs)} AND ts >= ${momentSql(sinceMs)}`
  return [
    `shown AS (
      SELECT recommendation_id, scenario, model_name AS model, model_version AS version, p.product_id, p.rank AS position,
        generated_at >= ${momentSql(fromMs)} AS is_asked_for
      FROM bronze.recommendations, unnest(from_json(products, '[{"product_id": "VARCHAR", "rank": "INTEGER"}]')) u(p)
      WHERE generated_date >= ${dateSql(sinceMs)} AND generated_at >= ${momentSql(sinceMs)} AND generated_at < ${momentSql(toMs)})`,
    `views AS (
      SELECT v.shopper, s.product_id, v.recommendation_id, v.ts, v.log_partition, v.log_offset
      FROM silver.events v JOIN shown s ON v.recommendation_id = s.recommendation_id
        AND (v.product_id IS NULL OR v.product_id = s.product_id)
      WHERE v.action = 'recommendation_viewed' AND ${since.replaceAll(/\b(event_date|ts)\b/g, 'v.$1')})`,
    `clicks AS (
      SELECT shopper, product_id, recommendation_id, ts, log_partition, log_offset FROM silver.events
      WHERE action IN ('recommendation_clicked', 'click') AND recommendation_id IS NOT NULL AND product_id IS NOT NULL AND ${since})`,
    `bought AS (
      SELECT shopper, product_id, ts, event_id, coalesce(price * coalesce(quantity, 1), 0) AS revenue FROM silver.events
      WHERE action = 'purchase' AND product_id IS NOT NULL AND ${since})`,
  ]
}

/** Each purchase to the last click on that product before it, or without one to the last view. */
function creditSql(windowMs: number): string[] {
  const lastOf = (
    events: string,
  ) => `SELECT shopper, product_id, ts, max_by(recommendation_id, ${LATEST}) AS recommendation_id
      FROM ${events} GROUP BY shopper, product_id, ts`
  const credited = (purchases: string, events: string) => `SELECT b.*, c.recommendation_id
      FROM ${purchases} b ASOF JOIN (${lastOf(events)}) c
        ON b.shopper = c.shopper AND b.product_id = c.product_id AND b.ts >= c.ts
      WHERE epoch_ms(b.ts) - epoch_ms(c.ts) <= ${windowMs}`
  return [
    `by_click AS (${credited('bought', 'clicks')})`,
    `by_view AS (${credited('(SELECT * FROM bought ANTI JOIN by_click USING (event_id))', 'views')})`,
  ]
}

/** One row per product of an answer of the period. */
function productsSql(): string {
  const sums = (purchases: string) =>
    `(SELECT recommendation_id, product_id, count(*) AS purchases, sum(revenue) AS revenue FROM ${purchases} GROUP BY ALL)`
  const firstOf = (events: string) =>
    `(SELECT recommendation_id, product_id, min(ts) AS ts FROM ${events} GROUP BY ALL)`
  return `products AS MATERIALIZED (
    SELECT s.*, v.ts AS seen_at, c.ts AS clicked_at,
      b.purchases, b.revenue, w.purchases AS view_purchases, w.revenue AS view_revenue
    FROM shown s
      LEFT JOIN ${firstOf('views')} v USING (recommendation_id, product_id)
      LEFT JOIN ${firstOf('clicks')} c USING (recommendation_id, product_id)
      LEFT JOIN ${sums('by_click')} b USING (recommendation_id, product_id)
      LEFT JOIN ${sums('by_view')} w USING (recommendation_id, product_id)
    WHERE s.is_asked_for)`
}

function byColumns(columns: readonly string[], order: string): string {
  const names = columns.join(', ')
  const fields = columns.map((name) => `${name}: ${name}`).join(', ')
  return `SELECT list({${fields}, ${COUNT_FIELDS}} ORDER BY ${order}) FROM (
    SELECT ${names}, ${COUNTS} FROM products GROUP BY ${names} ORDER BY ${order} LIMIT ${ROWS_MAX})`
}

function figuresOf({ clicked_of_seen, ...counts }: Counts): Attribution['total'] {
  return {
    ...counts,
    revenue: money(counts.revenue),
    view_revenue: money(counts.view_revenue),
    click_through: ratio(counts.clicked, counts.shown),
    click_through_of_seen: ratio(clicked_of_seen, counts.seen),
    purchases_per_click: ratio(counts.purchases, counts.clicked),
  }
}
