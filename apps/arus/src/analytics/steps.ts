import { ArusError } from '../errors.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Period } from './period.ts'
import { knownTimeZone, LocalClock } from './time-zone.ts'

/** Length of each interval a series can have; a day of a zone that changes its clocks may differ. */
const INTERVAL_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const

export type Interval = keyof typeof INTERVAL_MS

/** Points of a series at most: 136 years of days, 34 days of minutes. */
const STEPS_MAX = 50_000

/** Steps that cover a period; the first may begin before it. */
export interface Steps {
  /** Start of each step, UTC milliseconds. */
  readonly times: readonly number[]
  /** SQL of the number of the step, from 0, that `ts` is in. */
  sql(dialect: SqlDialect): string
}

/**
 * Days are those of the time zone, hours begin with its hours (at the first of them), minutes with those of UTC. Throws
 * `REQUEST_INVALID` when there are more than 50,000, or no such zone is known.
 */
export function stepsOf(period: Period, interval: Interval, timeZone: string): Steps {
  const zone = knownTimeZone(timeZone)
  if (interval === 'day' && zone !== 'UTC') return localDays(period, zone)
  const stepMs = INTERVAL_MS[interval]
  const aheadMs = interval === 'hour' ? new LocalClock(zone).offsetMs(period.fromMs) % HOUR_MS : 0
  const first = Math.floor((period.fromMs + aheadMs) / stepMs)
  const startMs = first * stepMs - aheadMs
  const count = Math.max(0, Math.ceil((period.toMs - startMs) / stepMs))
  expectFew(count, interval)
  return {
    times: Array.from({ length: count }, (_, i) => startMs + i * stepMs),
    sql: ({ quotient, epochMs }) => quotient(`${epochMs('ts')} - ${startMs}`, String(stepMs)),
  }
}

function localDays({ fromMs, toMs }: Period, zone: string): Steps {
  const clock = new LocalClock(zone)
  const first = clock.dayOf(fromMs)
  const count = Math.max(0, clock.dayOf(toMs - 1) - first + 1)
  expectFew(count, 'day')
  return {
    times: Array.from({ length: count }, (_, i) => clock.startOfDay(first + i)),
    sql: ({ localTime }) =>
      `date_diff('day', DATE '1970-01-01', CAST(${localTime('ts', `'${zone}'`)} AS DATE)) - (${first})`,
  }
}

function expectFew(count: number, interval: Interval): void {
  if (count <= STEPS_MAX) return
  throw new ArusError(
    'REQUEST_INVALID',
    `The period has ${count} steps of one ${interval}, at most ${STEPS_MAX} are possible; ask for a shorter one or a longer interval`,
  )
}
