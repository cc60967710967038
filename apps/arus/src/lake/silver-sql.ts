import { ACTION_WEIGHTS } from '../events/event.ts'
import type { Dialect } from './computation.ts'

/** Who an event belongs to. */
export const SHOPPER = 'coalesce(user_id, anonymous_id, session_id)'

/** Of several events with one id the first counts: by time of intake, then by place in the log. */
export const INTAKE_ORDER = 'received_at, log_partition, log_offset'

/**
 * Sessions of events that state none, by gaps between the events of a shopper: `log_partition`, `log_offset`, `event_date` and
 * `session_start`, UTC ms. `events` is a FROM text with these three, `shopper` and `ts`, holding all such events of each shopper
 * in it.
 */
export function sessionsSql({ millis }: Dialect, events: string, gapMinutes: number): string {
  const past = 'PARTITION BY shopper ORDER BY ts, log_partition, log_offset'
  return `SELECT log_partition, log_offset, event_date,
      ${millis(`max(CASE WHEN is_start THEN ts END) OVER (${past} ROWS UNBOUNDED PRECEDING)`)} AS session_start
    FROM (SELECT shopper, ts, log_partition, log_offset, event_date,
        coalesce(ts - lag(ts) OVER (${past}) > INTERVAL ${gapMinutes} MINUTE, true) AS is_start FROM ${events})`
}

/** Name of a session that no sender gave. */
export function sessionName(shopper: string, sessionStart: string): string {
  return `${shopper} || '@' || ${sessionStart}`
}

/** `silver.interactions` of rows of `silver.events`. */
export function interactionsSql(silverEvents: string): string {
  const weights = Object.entries(ACTION_WEIGHTS).filter(([, weight]) => weight > 0)
  const cases = weights.map(([action, weight]) => `WHEN '${action}' THEN ${weight}`).join(' ')
  return `SELECT shopper, product_id, action, CAST(CASE action ${cases} END AS DOUBLE) AS weight, ts, event_date
    FROM ${silverEvents} WHERE product_id IS NOT NULL
      AND action IN (${weights.map(([action]) => `'${action}'`).join(', ')})`
}

/** Rows of a SELECT's source whose number, made of a column, falls into one of several groups of alike size. */
export function inGroup(column: string, group: number, groupCount: number): string {
  return groupCount === 1 ? 'true' : `hash(${column}) % ${groupCount} = ${group}`
}

/** Text for SQL's IN: `DATE '2026-03-10', …`. */
export function dateList(dates: readonly string[]): string {
  return dates.length === 0 ? 'NULL' : dates.map((date) => `DATE '${date}'`).join(', ')
}
