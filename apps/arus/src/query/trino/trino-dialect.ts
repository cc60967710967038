import type { SqlDialect } from '../sql-dialect.ts'

/** Trino's SQL. Objects are JSON there, as its rows can have names only with their types written beside them. */
export const trinoDialect: SqlDialect = {
  engine: 'trino',
  materialized: '',
  inlined: '',
  moment: (ms) => `TIMESTAMP '${new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC')}'`,
  epochMs: (moment) => `date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', ${moment})`,
  // Without its zone, so that an hour that clocks show twice is one.
  localTime: (moment, zone) => `CAST(at_timezone(${moment}, ${zone}) AS timestamp(6))`,
  isoWeekday: (time) => `day_of_week(${time})`,
  quotient: (of, by) => `(${of}) / ${by}`,
  quantile,
  object: (fields) => {
    const names = Object.keys(fields).map((name) => `'${name}'`)
    const values = Object.values(fields).map((sql) => `CAST(${sql} AS JSON)`)
    return `CAST(MAP(ARRAY[${names.join(', ')}], ARRAY[${values.join(', ')}]) AS JSON)`
  },
  oneSpaced: (text) => `regexp_replace(${text}, '\\s+', ' ')`,
  property: (json, name, place) => ({ sql: propertySql(json, `$${place}`), param: name }),
  productsOf: (json, alias) =>
    ` CROSS JOIN UNNEST(CAST(json_parse(${json}) AS array(row(product_id varchar, rank integer)))) AS ${alias}(product_id, rank)`,
}

/** Its own quantiles are approximate, so it is read off the sorted values. The list of one is how they get a name. */
function quantile(value: string, share: number): string {
  const sorted = `array_sort(array_agg(CAST(${value} AS double)) FILTER (WHERE ${value} IS NOT NULL))`
  const place = `((cardinality(v) - 1) * DOUBLE '${share}')`
  const below = `v[CAST(floor(${place}) AS bigint) + 1]`
  const above = `v[CAST(ceiling(${place}) AS bigint) + 1]`
  return `transform(ARRAY[${sorted}], v -> ${below} + (${above} - ${below}) * (${place} - floor(${place})))[1]`
}

/** Texts as they are, anything else as JSON writes it. */
function propertySql(json: string, name: string): string {
  const value = `element_at(TRY_CAST(json_parse(${json}) AS map(varchar, json)), ${name})`
  return `coalesce(json_extract_scalar(${value}, '$'), nullif(json_format(${value}), 'null'))`
}
