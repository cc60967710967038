import type { Dialect } from './computation.ts'
import { type Rollup, typeOf } from './gold-rollups.ts'

/** SELECT of the totals by key, and FROM texts that gold tables take names and counts from. */
export interface FinishedInputs {
  readonly totals: string
  /** `silver.products`. */
  readonly products: string
  /** Rows with `product_id`, `title`, `category` of the products that occur. */
  readonly labels: string
}

/** A rollup's rows as its table holds them, from its totals by key. */
export function finishedSql(
  { isoWeekday, hourOfDay }: Dialect,
  rollup: Rollup,
  { totals, products, labels }: FinishedInputs,
): string {
  switch (rollup.table) {
    case 'gold.product_stats':
      return `SELECT t.*, p.title, p.category FROM (${totals}) t LEFT JOIN ${labels} p USING (product_id)`
    case 'gold.category_stats': {
      const sums = Object.keys(rollup.sums).map((name) => `coalesce(t.${name}, 0) AS ${name}`)
      return `SELECT category, coalesce(c.products, 0) AS products, ${sums.join(', ')}
        FROM (SELECT category, count(*) AS products FROM ${products} WHERE category IS NOT NULL GROUP BY category) c
          FULL JOIN (${totals}) t USING (category)`
    }
    case 'gold.hourly_activity':
      return `SELECT t.*, ${isoWeekday('hour_start')} AS weekday, ${hourOfDay('hour_start')} AS hour FROM (${totals}) t`
    default:
      return totals
  }
}

/**
 * Totals by key, from the table as it stands and a temporary table with `differenceSql`. Rows without events are left out. The greatest of what is left
 * cannot be told where the greatest itself went: those keys are looked up in `events`, `silver.events` as it is now.
 */
export function addedSql(rollup: Rollup, { old, difference, events }: AddedInputs): string {
  const keys = Object.keys(rollup.key)
  const sums = Object.keys(rollup.sums).map(
    (name) => `CAST(coalesce(o.${name}, 0) + coalesce(d.${name}, 0) AS ${typeOf(name)}) AS ${name}`,
  )
  const maxima = Object.keys(rollup.maxima)
  const isLost = (name: string) =>
    `d.${name}_before = o.${name} AND (d.${name}_after IS NULL OR d.${name}_after < d.${name}_before)`
  const greatest = maxima.map((name) => {
    const known = `CASE WHEN d.${name}_after IS NULL THEN o.${name} ELSE greatest(o.${name}, d.${name}_after) END`
    return `CASE WHEN ${isLost(name)} THEN f.${name} ELSE ${known} END AS ${name}`
  })
  const found =
    maxima.length === 0
      ? ''
      : `LEFT JOIN (SELECT ${[...keyColumns(rollup), ...maxima.map((name) => `max(${rollup.maxima[name]}) AS ${name}`)].join(', ')}
          FROM ${events} SEMI JOIN (SELECT d.* FROM ${difference} d JOIN ${old} o USING (${keys.join(', ')})
            WHERE ${maxima.map(isLost).join(' OR ')}) USING (${keys.join(', ')}) GROUP BY ALL) f USING (${keys.join(', ')})`
  return `SELECT ${[...keys, ...sums, ...greatest].join(', ')}
    FROM ${old} o FULL JOIN ${difference} d USING (${keys.join(', ')}) ${found}
    WHERE coalesce(o.events, 0) + coalesce(d.events, 0) > 0`
}

export interface AddedInputs {
  readonly old: string
  readonly difference: string
  readonly events: string
}

function keyColumns({ key }: Rollup): string[] {
  return Object.entries(key).map(([name, expression]) =>
    name === expression ? name : `${expression} AS ${name}`,
  )
}
