import type { Retention } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { askLake, dateSql, momentSql, named } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import { DAY_MS, type Period } from './period.ts'
import { knownTimeZone } from './time-zone.ts'
import { ratio } from './user-behavior.ts'

const COHORTS_MAX = 400
const DAYS_OF = { day: 1, week: 7 } as const
const PERIODS_DEFAULT = { day: 14, week: 12 } as const

/** Which cohorts, and what coming back means. */
export interface RetentionOptions {
  /** Weeks begin on Monday. */
  readonly interval: Retention['interval']
  /** IANA name. */
  readonly timeZone: string
  /** A shopper begins with their first event of this action. Absent: of any. */
  readonly action?: string
  /** And is back with one of this. Absent: any. */
  readonly returnAction?: string
  /** Followed after the first, 1 to 60. Default 14 days, 12 weeks. */
  readonly periods?: number
}

interface Row {
  readonly last: string
  readonly cohorts: readonly { readonly start: string; readonly shoppers: number }[] | null
  readonly returned:
    | readonly { readonly start: string; readonly period: number; readonly shoppers: number }[]
    | null
}

/** Who came back, by when they came first; defined in `docs/ANALYTICS.md`. */
export async function retention(
  questions: LakeQuestions,
  period: Period,
  options: RetentionOptions,
): Promise<Retention> {
  const { interval, timeZone, action, returnAction, periods = PERIODS_DEFAULT[interval] } = options
  expectFew(period, interval)
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    ...questionOf(dialect, period, { ...options, periods }),
  }))
  const cohorts = cohortsOf(row, DAYS_OF[interval], periods)
  return {
    from: period.fromMs,
    to: period.toMs,
    interval,
    time_zone: timeZone,
    action: action ?? null,
    return_action: returnAction ?? null,
    cohorts,
    overall: overallOf(cohorts, periods),
    as_of: row.asOf,
  }
}

function questionOf(
  dialect: SqlDialect,
  period: Period,
  options: RetentionOptions & { readonly periods: number },
) {
  const { interval, timeZone, action, returnAction, periods } = options
  const params = [knownTimeZone(timeZone)]
  const start = 'CAST(start AS VARCHAR)'
  const isAction = (wanted: string | undefined) =>
    wanted === undefined ? 'true' : `action = $${params.push(wanted)}`
  const startOf = (moment: string) =>
    `CAST(date_trunc('${interval}', ${dialect.localTime(moment, '$1')}) AS DATE)`
  const [isFirst, isReturn] = [isAction(action), isAction(returnAction)]
  // Cohorts are whole: the first begins up to a week before `from`, and zones are up to a day from UTC.
  const since = dateSql(period.fromMs - 9 * DAY_MS)
  const days = `date_diff('day', m.start, ${startOf('s.ts')})`
  const weeksOrDays = dialect.quotient(days, String(DAYS_OF[interval]))
  return {
    with: [
      `members AS (
        SELECT shopper, ${startOf('min(ts)')} AS start FROM silver.events
        WHERE ${isFirst} AND ts < ${momentSql(dialect, period.toMs)} GROUP BY shopper
        HAVING ${startOf('min(ts)')} >= ${startOf(momentSql(dialect, period.fromMs))})`,
      `active AS (
        SELECT DISTINCT m.start, m.shopper, ${weeksOrDays} AS period
        FROM silver.events s JOIN members m ON s.shopper = m.shopper
        WHERE s.event_date >= ${since} AND s.ts < ${momentSql(dialect, period.toMs)} AND ${isReturn})`,
      `returned AS (
        SELECT start, period, count(*) AS shoppers FROM active WHERE period BETWEEN 0 AND ${periods} GROUP BY 1, 2)`,
      `sizes AS (SELECT start, count(*) AS shoppers FROM members GROUP BY start)`,
    ],
    figures: {
      last: `SELECT CAST(${startOf(momentSql(dialect, period.toMs - 1))} AS VARCHAR)`,
      cohorts: `SELECT array_agg(${dialect.object({ start, shoppers: 'shoppers' })} ORDER BY start) FROM sizes`,
      returned: `SELECT array_agg(${dialect.object({ start, ...named('period', 'shoppers') })}) FROM returned`,
    },
    params,
  }
}

function cohortsOf({ last, cohorts, returned }: Row, days: number, periods: number): Retention['cohorts'] {
  const counts = new Map((returned ?? []).map((cell) => [`${cell.start} ${cell.period}`, cell.shoppers]))
  return (cohorts ?? []).map(({ start, shoppers }) => {
    const begun = Math.round((Date.parse(last) - Date.parse(start)) / DAY_MS / days) + 1
    const shown = Math.min(begun, periods + 1)
    return {
      start,
      shoppers,
      returned: Array.from({ length: shown }, (_, period) => counts.get(`${start} ${period}`) ?? 0),
      complete: Math.min(begun - 1, shown),
    }
  })
}

/** Each period over the cohorts for which it is over. */
function overallOf(cohorts: Retention['cohorts'], periods: number): Retention['overall'] {
  return Array.from({ length: periods + 1 }, (_, period) => {
    const over = cohorts.filter(({ complete }) => complete > period)
    const shoppers = over.reduce((total, cohort) => total + cohort.shoppers, 0)
    const returned = over.reduce((total, cohort) => total + (cohort.returned[period] ?? 0), 0)
    return { period, shoppers, returned, share: ratio(returned, shoppers) }
  })
}

function expectFew({ fromMs, toMs }: Period, interval: Retention['interval']): void {
  const count = Math.ceil((toMs - fromMs) / DAY_MS / DAYS_OF[interval])
  if (count <= COHORTS_MAX) return
  throw new ArusError(
    'REQUEST_INVALID',
    `The period has ${count} cohorts of one ${interval}, at most ${COHORTS_MAX} are possible; ask for a shorter one or for weeks`,
  )
}
