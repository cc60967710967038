import { dateSql, momentSql } from '../analytics/lake-question.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import type { Experiment, Exposure } from './experiment.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** When an experiment ran, as far as it did, UTC ms, and how its shoppers are counted. */
export interface RunPeriod {
  readonly exposure: Exposure
  readonly startedMs: number
  readonly endedMs: number
  readonly windowMs: number
}

export function runPeriodOf(
  experiment: Pick<Experiment, 'started_at' | 'stopped_at' | 'window_minutes' | 'exposure'>,
  nowMs: number,
): RunPeriod {
  const { started_at, stopped_at, window_minutes, exposure } = experiment
  return {
    startedMs: started_at ?? nowMs,
    endedMs: stopped_at ?? nowMs,
    windowMs: window_minutes * MINUTE_MS,
    exposure,
  }
}

/**
 * A row per variant: what was counted, with mean and variance over shoppers of each metric. One row per shopper stands between: the
 * unit that is assigned is the unit that is analysed. `$1` is the experiment's id. Defined in `docs/EXPERIMENTS.md`.
 *
 * A shopper counts once the window after they were first exposed is over, by the lake's own clock (the newest event taken in), so what
 * they did is complete and does not change any more: the test needs a sequence of values that stay.
 */
export function outcomeSql(dialect: SqlDialect, period: RunPeriod, nowMs: number): string {
  const { windowMs } = period
  return `WITH ${givenSql(dialect, period)},
    units AS (${unitsSql(dialect, period)}),
    cut AS (
      SELECT least(max(received_at), ${momentSql(dialect, nowMs)}) - to_milliseconds(${windowMs}) AS newest
      FROM silver.events WHERE event_date >= ${dateSql(period.startedMs - DAY_MS)}),
    counted AS (SELECT u.*, first_at + to_milliseconds(${windowMs}) AS until FROM units u, cut WHERE first_at <= cut.newest),
    answered AS (
      SELECT unit, is_user, avg(took_ms) AS latency, avg(is_fallback) AS fallback_rate
      FROM given JOIN counted USING (unit, is_user) WHERE generated_at < until GROUP BY unit, is_user),
    clicked AS (
      SELECT DISTINCT g.unit, g.is_user FROM silver.events e JOIN given g ON e.recommendation_id = g.recommendation_id
        JOIN counted c ON c.unit = g.unit AND c.is_user = g.is_user
      WHERE e.action IN ('recommendation_clicked', 'click') AND ${eventsOf(period)} AND e.ts < c.until),
    bought AS (
      SELECT c.unit, c.is_user, coalesce(sum(e.price * coalesce(e.quantity, 1)), 0) AS revenue
      FROM counted c JOIN (${purchasesSql(period)}) e ON e.unit = c.unit AND e.is_user = c.is_user
      WHERE e.ts >= c.first_at AND e.ts < c.until GROUP BY c.unit, c.is_user),
    outcomes AS (
      SELECT c.variant, (k.unit IS NOT NULL)::DOUBLE AS click_through, (b.unit IS NOT NULL)::DOUBLE AS conversion,
        coalesce(b.revenue, 0)::DOUBLE AS revenue, a.latency, a.fallback_rate
      FROM counted c LEFT JOIN answered a USING (unit, is_user) LEFT JOIN clicked k USING (unit, is_user)
        LEFT JOIN bought b USING (unit, is_user)),
    moments AS (SELECT variant, ${METRIC_COLUMNS.map(momentsOf).join(', ')} FROM outcomes GROUP BY variant),
    exposed AS (SELECT variant, count(*) AS units FROM units GROUP BY variant),
    answers AS (SELECT variant, count(*) AS answers, count(*) FILTER (fell_back) AS fell_back FROM given GROUP BY variant)
  SELECT a.variant, e.units, a.answers, a.fell_back, (SELECT epoch_ms(newest) FROM cut) AS counted_until, m.* EXCLUDE (variant)
  FROM answers a LEFT JOIN exposed e USING (variant) LEFT JOIN moments m USING (variant)`
}

const METRIC_COLUMNS = ['click_through', 'conversion', 'revenue', 'latency', 'fallback_rate'] as const

function momentsOf(metric: string): string {
  return `count(${metric}) AS ${metric}_count, coalesce(avg(${metric}), 0) AS ${metric}_mean,
    coalesce(var_samp(${metric}), 0) AS ${metric}_variance`
}

/** The answers of the experiment. A unit is a user, or a session where nobody signed in. */
function givenSql(dialect: SqlDialect, { startedMs, endedMs }: RunPeriod): string {
  return `given AS MATERIALIZED (
      SELECT coalesce(user_id, session_id) AS unit, user_id IS NOT NULL AS is_user, m.variant, m.fell_back IS NOT NULL AS fell_back,
        recommendation_id, generated_at, took_ms, (fallback IS NOT NULL)::INTEGER AS is_fallback
      FROM bronze.recommendations, unnest(from_json(experiments, '[{"id": "VARCHAR", "variant": "VARCHAR", "fell_back": "VARCHAR"}]')) u(m)
      WHERE experiments IS NOT NULL AND m.id = $1 AND coalesce(user_id, session_id) IS NOT NULL
        AND generated_date BETWEEN ${dateSql(startedMs)} AND ${dateSql(endedMs)}
        AND generated_at >= ${momentSql(dialect, startedMs)} AND generated_at < ${momentSql(dialect, endedMs)})`
}

/** Each shopper once, with when they were first exposed, while it ran. */
function unitsSql(dialect: SqlDialect, period: RunPeriod): string {
  const from =
    period.exposure === 'answered'
      ? 'SELECT unit, is_user, variant, generated_at AS at_ts FROM given'
      : `SELECT g.unit, g.is_user, g.variant, e.ts AS at_ts FROM given g JOIN silver.events e USING (recommendation_id)
        WHERE e.action = 'recommendation_viewed' AND ${eventsOf(period)} AND e.ts < ${momentSql(dialect, period.endedMs)}`
  return `SELECT unit, is_user, min_by(variant, at_ts) AS variant, min(at_ts) AS first_at FROM (${from}) GROUP BY unit, is_user`
}

/** Condition on `e`: days that may hold what shoppers of the experiment did. */
function eventsOf({ startedMs, endedMs, windowMs }: RunPeriod): string {
  return `e.event_date BETWEEN ${dateSql(startedMs - DAY_MS)} AND ${dateSql(endedMs + windowMs)}`
}

/** Purchases by user and by session: a shopper who signed in meanwhile is found by either. */
function purchasesSql(period: RunPeriod): string {
  const by = (column: string, isUser: boolean) =>
    `SELECT e.${column} AS unit, ${isUser} AS is_user, e.ts, e.price, e.quantity FROM silver.events e
      WHERE e.action = 'purchase' AND e.${column} IS NOT NULL AND ${eventsOf(period)}`
  return `${by('user_id', true)} UNION ALL ${by('session_id', false)}`
}

/**
 * A row per shadow: how its answers compare with those that were given, and which later clicks of the same shoppers each would have
 * shown. Clicks on recommendations favour what was shown; those that came from elsewhere do not. `$1` is the experiment's id.
 */
export function shadowSql(dialect: SqlDialect, period: RunPeriod): string {
  const { startedMs, endedMs, windowMs } = period
  return `WITH compared AS MATERIALIZED (
      SELECT s.variant, coalesce(user_id, session_id) AS unit, user_id IS NOT NULL AS is_user, generated_at, s.products AS shadowed,
        list_transform(from_json(products, '[{"product_id": "VARCHAR"}]'), lambda p: p.product_id) AS shown,
        s.overlap, s.rank_agreement, s.took_ms AS shadow_ms, r.took_ms AS answer_ms
      FROM bronze.recommendations r, unnest(from_json(shadows, '[{"id": "VARCHAR", "variant": "VARCHAR", "products": ["VARCHAR"],
        "overlap": "DOUBLE", "rank_agreement": "DOUBLE", "took_ms": "DOUBLE"}]')) u(s)
      WHERE shadows IS NOT NULL AND s.id = $1 AND generated_date BETWEEN ${dateSql(startedMs)} AND ${dateSql(endedMs)}
        AND generated_at >= ${momentSql(dialect, startedMs)} AND generated_at < ${momentSql(dialect, endedMs)}),
    clicks AS (${clicksSql(period)}),
    hits AS (
      SELECT c.variant, count(*) AS clicks, count(*) FILTER (list_contains(c.shown, k.product_id)) AS shown_hits,
        count(*) FILTER (list_contains(c.shadowed, k.product_id)) AS shadow_hits, count(*) FILTER (k.is_elsewhere) AS elsewhere_clicks,
        count(*) FILTER (k.is_elsewhere AND list_contains(c.shown, k.product_id)) AS elsewhere_shown_hits,
        count(*) FILTER (k.is_elsewhere AND list_contains(c.shadowed, k.product_id)) AS elsewhere_shadow_hits
      FROM compared c JOIN clicks k ON k.unit = c.unit AND k.is_user = c.is_user
      WHERE k.ts >= c.generated_at AND k.ts < c.generated_at + to_milliseconds(${windowMs}) GROUP BY c.variant)
  SELECT c.variant, count(*) AS answers, avg(overlap) AS overlap, avg(rank_agreement) AS rank_agreement,
    quantile_cont(answer_ms, 0.5) AS answer_ms_p50, quantile_cont(answer_ms, 0.99) AS answer_ms_p99,
    quantile_cont(shadow_ms, 0.5) AS shadow_ms_p50, quantile_cont(shadow_ms, 0.99) AS shadow_ms_p99,
    ${HITS.map((name) => `coalesce(any_value(h.${name}), 0) AS ${name}`).join(', ')}
  FROM compared c LEFT JOIN hits h USING (variant) GROUP BY c.variant`
}

const HITS = [
  'clicks',
  'shown_hits',
  'shadow_hits',
  'elsewhere_clicks',
  'elsewhere_shown_hits',
  'elsewhere_shadow_hits',
]

function clicksSql(period: RunPeriod): string {
  const by = (column: string, isUser: boolean) =>
    `SELECT e.${column} AS unit, ${isUser} AS is_user, e.ts, e.product_id, e.recommendation_id IS NULL AS is_elsewhere FROM silver.events e
      WHERE e.action IN ('recommendation_clicked', 'click') AND e.${column} IS NOT NULL AND e.product_id IS NOT NULL AND ${eventsOf(period)}`
  return `${by('user_id', true)} UNION ALL ${by('session_id', false)}`
}
