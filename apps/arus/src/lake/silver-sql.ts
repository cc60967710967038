import { ACTION_WEIGHTS } from '../events/event.ts'

/** A stretch without an event this long ends a session. */
export const SESSION_GAP_MINUTES = 30

/** What the silver tables of some dates are computed from; all are FROM texts. */
export interface SilverInputs {
  /** `bronze.events`. */
  readonly bronze: string
  /** `silver.products`. */
  readonly products: string
  /** Dates to compute, `YYYY-MM-DD`. */
  readonly dates: readonly string[]
}

const SHOPPER = 'coalesce(user_id, anonymous_id, session_id)'

/**
 * `silver.events` of some dates: the first of each event_id (by time of intake, then place in the log) among the date
 * and its neighbours; sessions as given, else by gaps of a shopper's events, looking back as far as the day before.
 */
export function silverEventsSql({ bronze, products, dates }: SilverInputs): string {
  const wanted = dateList(dates)
  const around = dateList(withNeighbours(dates))
  // Windows run over the few columns they need; the wide rows are joined to the result.
  return `WITH around AS (
      SELECT event_id, ${SHOPPER} AS shopper, session_id IS NULL AS is_open, ts, received_at, event_date, log_partition, log_offset
      FROM ${bronze} WHERE event_date IN (${around})
    ), kept AS (
      SELECT * FROM around
      QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at, log_partition, log_offset) = 1
    ), marked AS (
      SELECT *, coalesce(ts - lag(ts) OVER own_past > INTERVAL ${SESSION_GAP_MINUTES} MINUTE
          OR lag(event_date) OVER own_past < event_date - 1, true) AS is_start
      FROM kept WINDOW own_past AS (PARTITION BY shopper, is_open ORDER BY ts, log_partition, log_offset)
    ), sessions AS (
      SELECT shopper, log_partition, log_offset, event_date, max(CASE WHEN is_start THEN ts END) OVER (
          PARTITION BY shopper, is_open ORDER BY ts, log_partition, log_offset ROWS UNBOUNDED PRECEDING) AS session_start
      FROM marked
    )
    SELECT b.*, s.shopper, coalesce(b.session_id, s.shopper || '@' || epoch_ms(s.session_start)) AS session, p.category
    FROM (SELECT * FROM sessions WHERE event_date IN (${wanted})) s
      JOIN (SELECT * FROM ${bronze} WHERE event_date IN (${wanted})) b USING (log_partition, log_offset)
      LEFT JOIN ${products} p ON p.product_id = b.product_id`
}

/** `silver.interactions` from `silver.events` of some dates. */
export function silverInteractionsSql(silverEvents: string, dates: readonly string[]): string {
  const weights = Object.entries(ACTION_WEIGHTS).filter(([, weight]) => weight > 0)
  const cases = weights.map(([action, weight]) => `WHEN '${action}' THEN ${weight}`).join(' ')
  return `SELECT shopper, product_id, action, (CASE action ${cases} END)::DOUBLE AS weight, ts, event_date
    FROM ${silverEvents} WHERE event_date IN (${dateList(dates)}) AND product_id IS NOT NULL
      AND action IN (${weights.map(([action]) => `'${action}'`).join(', ')})`
}

/** Dates whose silver depends on what bronze holds of `dates`: themselves and the days around them. */
export function withNeighbours(dates: readonly string[]): string[] {
  const near = dates.flatMap((date) => [-1, 0, 1].map((days) => shifted(date, days)))
  return [...new Set(near)].sort()
}

function shifted(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

function dateList(dates: readonly string[]): string {
  return dates.length === 0 ? 'NULL' : dates.map((date) => `DATE '${date}'`).join(', ')
}
