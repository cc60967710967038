import type { SqlDialect } from './sql-dialect.ts'

/** DuckDB's SQL. */
export const duckdbDialect: SqlDialect = {
  engine: 'duckdb',
  materialized: 'MATERIALIZED',
  inlined: 'NOT MATERIALIZED',
  moment: (ms) => `make_timestamptz(${ms} * 1000)`,
  epochMs: (moment) => `epoch_ms(${moment})`,
  localTime: (moment, zone) => `timezone(${zone}, ${moment})`,
  isoWeekday: (time) => `isodow(${time})`,
  quotient: (of, by) => `(${of}) // ${by}`,
  quantile: (value, share) => `quantile_cont(${value}, ${share})`,
  object: (fields) =>
    `{${Object.entries(fields)
      .map(([name, sql]) => `"${name}": ${sql}`)
      .join(', ')}}`,
  oneSpaced: (text) => `regexp_replace(${text}, '\\s+', ' ', 'g')`,
  property: (json, name, place) => ({
    sql: `json_extract_string(${json}, $${place})`,
    param: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  }),
  productsOf: (json, alias) =>
    `, unnest(from_json(${json}, '[{"product_id": "VARCHAR", "rank": "INTEGER"}]')) u(${alias})`,
}
