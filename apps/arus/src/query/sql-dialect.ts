/** Name of an engine that answers the questions of Arus. */
export type QueryEngineName = 'duckdb' | 'trino'

/** A value of what a sender gave with an event, as text. */
export interface PropertySql {
  readonly sql: string
  /** What the placeholder in `sql` stands for. */
  readonly param: string
}

/**
 * What engines write differently. The rest of a question is SQL that all of them read: windows, grouping sets, `FILTER (WHERE …)`,
 * `array_agg(… ORDER BY …)`, `date_diff`, `$1` for values. All arguments are SQL.
 */
export interface SqlDialect {
  readonly engine: QueryEngineName
  /** Before the parenthesis of a `WITH` whose rows are computed once, or never kept, where an engine can be told so. */
  readonly materialized: string
  readonly inlined: string
  /** A moment of UTC milliseconds, in years 1 to 9999. */
  moment(ms: number): string
  /** UTC milliseconds of a moment. */
  epochMs(moment: string): string
  /** What clocks show at a moment in a zone, as a timestamp without one. */
  localTime(moment: string, zone: string): string
  /** Monday is 1. */
  isoWeekday(time: string): string
  /** How many times a whole number that is not negative holds another. */
  quotient(of: string, by: string): string
  /** Exact, between the two values nearest to `share` (0 to 1) by linear interpolation; null of none. An aggregate. */
  quantile(value: string, share: number): string
  /** One value with named fields, which may be such values and lists of them too. */
  object(fields: Readonly<Record<string, string>>): string
  /** Each stretch of white space as one space. */
  oneSpaced(text: string): string
  /** A field of a JSON object by its name, null where it has none; `place` is the number of its placeholder. */
  property(json: string, name: string, place: number): PropertySql
  /** FROM text after a table, a row for each product of a JSON list `[{product_id, rank}]`, which it names `alias`. */
  productsOf(json: string, alias: string): string
}
