import type { Attribution } from '../api-schema/index.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { askLake, dateSql, momentSql, named } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
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

/** Sums over all products, or over those with one scenario, one position, or one version of a model. */
interface Row {
  readonly counted:
    | readonly (Counts & {
        readonly grouped: number
        readonly scenario: string | null
        readonly position: number | null
        readonly model: string | null
        readonly version: number | null
      })[]
    | null
}

/** What `grouping(scenario, position, model, version)` gives: a one for each that a sum is not by. */
const GROUPED = { scenario: 0b0111, position: 0b1011, model: 0b1100 }
const COUNTS = `count(DISTINCT recommendation_id) AS answers, count(*) AS shown, count(seen_at) AS seen,
    count(clicked_at) AS clicked, count(*) FILTER (WHERE clicked_at IS NOT NULL AND seen_at IS NOT NULL) AS clicked_of_seen,
    coalesce(sum(purchases), 0) AS purchases, coalesce(sum(revenue), 0) AS revenue,
    coalesce(sum(view_purchases), 0) AS view_purchases, coalesce(sum(view_revenue), 0) AS view_revenue`
const COUNT_FIELDS = named(
  'answers',
  'shown',
  'seen',
  'clicked',
  'clicked_of_seen',
  'purchases',
  'revenue',
  'view_purchases',
  'view_revenue',
)
const NOTHING = Object.fromEntries(Object.keys(COUNT_FIELDS).map((name) => [name, 0])) as unknown as Counts
const LATEST = '(log_partition, log_offset)'

/** What came of the answers given in a period: seen, clicked, bought; defined in `docs/ANALYTICS.md`. */
export async function attribution(
  questions: LakeQuestions,
  period: Period,
  windowMs: number = WINDOW_DEFAULT_MS,
): Promise<Attribution> {
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: [...attributedSql(dialect, period, windowMs), ...COUNTED],
    figures: {
      counted: `SELECT array_agg(${dialect.object({
        ...named('grouped', 'scenario', 'position', 'model', 'version'),
        ...COUNT_FIELDS,
      })} ORDER BY grouped, place) FROM ranked WHERE place <= ${ROWS_MAX}`,
    },
  }))
  const counted = row.counted ?? []
  const by = (grouped: number) => counted.filter((counts) => counts.grouped === grouped)
  const [total = NOTHING] = by(GROUPED.scenario | GROUPED.model)
  return {
    from: period.fromMs,
    to: period.toMs,
    window_ms: windowMs,
    total: figuresOf(total),
    by_scenario: by(GROUPED.scenario).map(({ scenario, ...counts }) => ({
      scenario: scenario ?? '',
      ...figuresOf(counts),
    })),
    by_position: by(GROUPED.position).map(({ position, ...counts }) => ({
      position: position ?? 0,
      ...figuresOf(counts),
    })),
    by_model: by(GROUPED.model).map(({ model, version, ...counts }) => ({
      model,
      version,
      ...figuresOf(counts),
    })),
    as_of: row.asOf,
  }
}

/** All sums in one pass over `products`, and the place of each among those that are by the same. */
const COUNTED = [
  `counted AS (
    SELECT grouping(scenario, position, model, version) AS grouped, scenario, position, model, version, ${COUNTS}
    FROM products GROUP BY GROUPING SETS ((), (scenario), (position), (model, version)))`,
  `ranked AS (
    SELECT *, row_number() OVER (PARTITION BY grouped
      ORDER BY position NULLS LAST, shown DESC, scenario, model NULLS LAST, version DESC NULLS LAST) AS place
    FROM counted)`,
]

/** `name AS (SELECT …)` texts that end in `products`: a row per product of an answer of the period, and what came of it. */
export function attributedSql(dialect: SqlDialect, period: Period, windowMs: number): string[] {
  return [...happenedSql(dialect, period, windowMs), ...creditSql(dialect, windowMs), productsSql(dialect)]
}

/** Answers and the events that may follow from them. What is before the period may take a purchase from what is in it. */
function happenedSql(dialect: SqlDialect, { fromMs, toMs }: Period, windowMs: number): string[] {
  const sinceMs = fromMs - windowMs - CLOCK_SKEW_MS
  const since = `event_date >= ${dateSql(sinceMs)} AND ts >= ${momentSql(dialect, sinceMs)}`
  return [
    `shown AS (
      SELECT recommendation_id, scenario, model_name AS model, model_version AS version, p.product_id, p.rank AS position,
        generated_at >= ${momentSql(dialect, fromMs)} AS is_asked_for
      FROM bronze.recommendations${dialect.productsOf('products', 'p')}
      WHERE generated_date >= ${dateSql(sinceMs)} AND generated_at >= ${momentSql(dialect, sinceMs)} AND generated_at < ${momentSql(dialect, toMs)})`,
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
function creditSql({ epochMs }: SqlDialect, windowMs: number): string[] {
  const lastOf = (
    events: string,
  ) => `SELECT shopper, product_id, ts, max_by(recommendation_id, ${LATEST}) AS recommendation_id
      FROM ${events} GROUP BY shopper, product_id, ts`
  // The newest of the others up to a purchase, at the same moment too.
  const credited = (
    purchases: string,
    events: string,
  ) => `SELECT b.event_id, b.product_id, b.revenue, c.recommendation_id
      FROM (
        SELECT *, max(CASE WHEN event_id IS NULL THEN ts END) OVER (PARTITION BY shopper, product_id ORDER BY ts) AS last_at
        FROM (SELECT shopper, product_id, ts, event_id, revenue FROM ${purchases} bought_then
          UNION ALL SELECT shopper, product_id, ts, NULL, NULL FROM ${events}) both_kinds) b
        JOIN (${lastOf(events)}) c ON b.shopper = c.shopper AND b.product_id = c.product_id AND b.last_at = c.ts
      WHERE b.event_id IS NOT NULL AND ${epochMs('b.ts')} - ${epochMs('c.ts')} <= ${windowMs}`
  const others = '(SELECT * FROM bought WHERE event_id NOT IN (SELECT event_id FROM by_click))'
  return [`by_click AS (${credited('bought', 'clicks')})`, `by_view AS (${credited(others, 'views')})`]
}

/** One row per product of an answer of the period. */
function productsSql({ materialized }: SqlDialect): string {
  const sums = (purchases: string) =>
    `(SELECT recommendation_id, product_id, count(*) AS purchases, sum(revenue) AS revenue FROM ${purchases} GROUP BY 1, 2)`
  const firstOf = (events: string) =>
    `(SELECT recommendation_id, product_id, min(ts) AS ts FROM ${events} GROUP BY 1, 2)`
  return `products AS ${materialized} (
    SELECT s.*, v.ts AS seen_at, c.ts AS clicked_at,
      b.purchases, b.revenue, w.purchases AS view_purchases, w.revenue AS view_revenue
    FROM shown s
      LEFT JOIN ${firstOf('views')} v ON s.recommendation_id = v.recommendation_id AND s.product_id = v.product_id
      LEFT JOIN ${firstOf('clicks')} c ON s.recommendation_id = c.recommendation_id AND s.product_id = c.product_id
      LEFT JOIN ${sums('by_click')} b ON s.recommendation_id = b.recommendation_id AND s.product_id = b.product_id
      LEFT JOIN ${sums('by_view')} w ON s.recommendation_id = w.recommendation_id AND s.product_id = w.product_id
    WHERE s.is_asked_for)`
}

function figuresOf(sums: Counts): Attribution['total'] {
  const { clicked_of_seen, ...counts } = countsOf(sums)
  return {
    ...counts,
    revenue: money(counts.revenue),
    view_revenue: money(counts.view_revenue),
    click_through: ratio(counts.clicked, counts.shown),
    click_through_of_seen: ratio(clicked_of_seen, counts.seen),
    purchases_per_click: ratio(counts.purchases, counts.clicked),
  }
}

function countsOf(sums: Counts): Counts {
  return Object.fromEntries(
    Object.keys(COUNT_FIELDS).map((name) => [name, sums[name as keyof Counts]]),
  ) as unknown as Counts
}
