import type { IdTable, SessionEvents } from '@arus/recommenders'
import { ACTION_WEIGHTS } from '../events/event.ts'
import type { Lake } from '../lake/lake.ts'
import { readProductRows } from './read-product-rows.ts'

/** Newest events that session models are made of: some 100 MB while they are fitted. */
const EVENTS_MAX = 1_000_000

/** What was done in sessions, as parallel arrays: session by session, each in order of time. */
export interface SessionLog {
  readonly sessionCount: number
  readonly itemCount: number
  readonly sessions: Uint32Array
  /** Dense indices; one who signs in during a session has two. */
  readonly shoppers: Uint32Array
  readonly items: Uint32Array
  /** `ACTION_WEIGHTS`; what says nothing of a wish is left out. */
  readonly weights: Float32Array
  /** UTC milliseconds. */
  readonly timesMs: Float64Array
}

/** The newest events with a known product of `silver.events`, which says where sessions begin and end, and the version that was read. */
export async function readSessions(
  lake: Lake,
  products: IdTable,
  eventsMax: number = EVENTS_MAX,
): Promise<{ readonly log: SessionLog; readonly version: number }> {
  const { sql, version } = await lake.relation('silver.events')
  const connection = await lake.duckdb.connect()
  try {
    const rows = await readProductRows(connection, newestEvents(sql, eventsMax), { products, count: 4 })
    const [sessions = [], shoppers = [], weights = [], timesMs = []] = rows.numbers
    const log = {
      sessionCount: (sessions.at(-1) ?? -1) + 1,
      itemCount: products.size,
      sessions: Uint32Array.from(sessions),
      shoppers: Uint32Array.from(shoppers),
      items: Uint32Array.from(rows.items),
      weights: Float32Array.from(weights),
      timesMs: Float64Array.from(timesMs),
    }
    return { log, version }
  } finally {
    connection.closeSync()
  }
}

/** Sessions and shoppers numbered by DuckDB, session by session. */
function newestEvents(sql: string, eventsMax: number): string {
  const weights = Object.entries(ACTION_WEIGHTS).filter(([, weight]) => weight > 0)
  const weight = `CASE action ${weights.map(([action, value]) => `WHEN '${action}' THEN ${value}`).join(' ')} END`
  return `SELECT product_id, (dense_rank() OVER (ORDER BY session) - 1)::INTEGER AS number,
      (dense_rank() OVER (ORDER BY shopper) - 1)::INTEGER, ${weight}::DOUBLE, epoch_ms(ts)::DOUBLE
    FROM (SELECT session, shopper, product_id, action, ts, log_partition, log_offset FROM ${sql}
      WHERE product_id IS NOT NULL AND ${weight} IS NOT NULL ORDER BY ts DESC LIMIT ${eventsMax})
    ORDER BY number, ts, log_partition, log_offset`
}

/**
 * Sessions as models of sessions learn them: what is done with one product in a row (a look, a click, into the cart) is one event, so
 * that the event after it is another product. `isWanted` is asked for each session.
 */
export function visitsOf(log: SessionLog, isWanted: (session: number) => boolean): SessionEvents {
  const kept: number[] = []
  for (let n = 0; n < log.items.length; n++) {
    const session = log.sessions[n]!
    const isSameVisit =
      n + 1 < log.items.length && log.sessions[n + 1] === session && log.items[n + 1] === log.items[n]
    if (!isSameVisit && isWanted(session)) kept.push(n)
  }
  return {
    sessionCount: log.sessionCount,
    itemCount: log.itemCount,
    sessions: Uint32Array.from(kept, (n) => log.sessions[n]!),
    items: Uint32Array.from(kept, (n) => log.items[n]!),
    timesMs: Float64Array.from(kept, (n) => log.timesMs[n]!),
  }
}
