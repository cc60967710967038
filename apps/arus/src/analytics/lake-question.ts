import { ArusError } from '../errors.ts'
import type { QueryEngineName, SqlDialect } from '../query/sql-dialect.ts'
import type { LakeQuestions } from './lake-questions.ts'
import type { Period } from './period.ts'

/** What a body says about where it comes from: table versions, the newest event in them, and which engine computed it. */
export interface AsOf {
  readonly table_versions: Record<string, number>
  readonly newest_event_at: number | null
  readonly took_ms: number
  /** What computed it. */
  readonly engine: QueryEngineName
}

/**
 * Asks one SELECT that gives one row, so that all figures of a body come from the same version of every table. Columns
 * of the row are `figures`, a list of SQL expressions by name, over the events of the period as `e`.
 */
export interface LakeQuestion {
  readonly period: Period
  /** SQL that the events of `e` meet besides. */
  readonly where?: string
  /** Further `name AS (SELECT …)` texts, which may use `e`. */
  readonly with?: readonly string[]
  /** Expressions by the name of the row's field. */
  readonly figures: Readonly<Record<string, string>>
  readonly params?: readonly string[]
}

/** First and last moment that a SQL date of four-digit years can hold. */
const SQL_TIME_MS = { min: -62_135_596_800_000, max: 253_402_300_799_999 }

/** Units sold times price; purchases without a price add nothing. */
export const REVENUE_SQL = `coalesce(sum(price * coalesce(quantity, 1)) FILTER (WHERE action = 'purchase'), 0)`

/** `T` names the fields of `figures` with the types that their SQL gives. */
export async function askLake<T>(
  questions: LakeQuestions,
  questionOf: (dialect: SqlDialect) => LakeQuestion,
): Promise<T & { asOf: AsOf }> {
  const result = await questions.ask((dialect) => {
    const question = questionOf(dialect)
    return { sql: sqlOf(dialect, question), params: question.params ?? [] }
  })
  const [row] = result.rows
  if (row === undefined) throw new ArusError('INTERNAL', 'a question of one row was answered with none')
  const fields = Object.fromEntries(result.columns.map(({ name }, i) => [name, row[i]]))
  const asOf: AsOf = {
    table_versions: { ...result.table_versions },
    newest_event_at: fields.newest_event_at as number | null,
    took_ms: Math.round(result.took_ms * 1_000) / 1_000,
    engine: result.engine,
  }
  return { ...(fields as T), asOf }
}

/** The events of a period, without reading dates outside of it. */
function sqlOf(dialect: SqlDialect, { period, where, with: more = [], figures }: LakeQuestion): string {
  const events = `e AS ${dialect.inlined} (
    SELECT * FROM silver.events
    WHERE event_date BETWEEN ${dateSql(period.fromMs)} AND ${dateSql(period.toMs)}
      AND ts >= ${momentSql(dialect, period.fromMs)} AND ts < ${momentSql(dialect, period.toMs)}
      ${where === undefined ? '' : `AND ${where}`})`
  const columns = Object.entries(figures).map(([name, sql]) => `(${sql}) AS ${name}`)
  return `WITH ${[events, ...more].join(',\n')}
  SELECT (SELECT ${dialect.epochMs('max(ts)')} FROM silver.events) AS newest_event_at,\n${columns.join(',\n')}`
}

/** A moment as SQL; beyond what a SQL date can hold, the nearest that it can. */
export function momentSql(dialect: SqlDialect, ms: number): string {
  return dialect.moment(clamped(ms))
}

/** The UTC date of a moment as SQL. */
export function dateSql(ms: number): string {
  return `DATE '${dateOf(clamped(ms))}'`
}

/** UTC date, `YYYY-MM-DD`. */
export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Fields that are called as their columns are. */
export function named(...columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((name) => [name, name]))
}

function clamped(ms: number): number {
  return Math.round(Math.min(Math.max(ms, SQL_TIME_MS.min), SQL_TIME_MS.max))
}
