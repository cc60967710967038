import type { Dialect } from './computation.ts'
import type { TableName } from './table-names.ts'

/** Exact, whatever the order of adding: money is no floating-point number. What does not fit counts as 0. */
const AMOUNT = `coalesce(TRY_CAST(price * coalesce(quantity, 1) AS DECIMAL(30, 6)), 0)`
const UNITS = `coalesce(TRY_CAST(coalesce(quantity, 1) AS DECIMAL(30, 6)), 0)`
const purchases = (value: string) =>
  `CAST(coalesce(sum(${value}) FILTER (WHERE action = 'purchase'), 0) AS DECIMAL(38, 6))`
const did = (action: string) => `CAST(count(*) FILTER (WHERE action = '${action}') > 0 AS BIGINT)`

const COUNTS = {
  events: 'count(*)',
  views: `count(*) FILTER (WHERE action = 'view')`,
  clicks: `count(*) FILTER (WHERE action = 'click')`,
  carts: `count(*) FILTER (WHERE action = 'add_to_cart')`,
  purchases: `count(*) FILTER (WHERE action = 'purchase')`,
}
const REVENUE = { revenue: purchases(AMOUNT) }

/** One of the gold tables that add up events by a key. */
export interface Rollup {
  readonly table: TableName
  /** Columns of the key, as expressions over rows of `silver.events`; rows where the first is null do not count. */
  readonly key: Readonly<Record<string, string>>
  /**
   * What is added up: expressions over the events of one shopper with one key. `1` counts shoppers. Being sums over shoppers, they
   * change by what they are for the shoppers that changed, after less before.
   */
  readonly sums: Readonly<Record<string, string>>
  /** The greatest of these. */
  readonly maxima: Readonly<Record<string, string>>
}

/** All but `user_stats` and `model_metrics`. `events` says whether there is a row. */
export function rollupsOf({ hourStart }: Dialect): readonly Rollup[] {
  return [
    {
      table: 'gold.product_stats',
      key: { product_id: 'product_id' },
      sums: { ...COUNTS, shoppers: '1', units: purchases(UNITS), ...REVENUE },
      maxima: { last_event_at: 'ts' },
    },
    {
      table: 'gold.category_stats',
      key: { category: 'category' },
      sums: { ...COUNTS, shoppers: '1', ...REVENUE },
      maxima: {},
    },
    {
      table: 'gold.hourly_activity',
      key: {
        hour_start: hourStart('ts'),
        event_date: 'event_date',
      },
      sums: { ...COUNTS, active_users: '1', ...REVENUE },
      maxima: {},
    },
    {
      table: 'gold.daily_funnel',
      key: { event_date: 'event_date' },
      sums: {
        events: 'count(*)',
        view: did('view'),
        click: did('click'),
        add_to_cart: did('add_to_cart'),
        purchase: did('purchase'),
        ...REVENUE,
      },
      maxima: {},
    },
  ]
}

/** `gold.user_stats` of all events of some shoppers. */
export function userStatsSql(events: string): string {
  const { events: count, views, purchases: bought } = COUNTS
  return `SELECT shopper, min(ts) AS first_event_at, max(ts) AS last_event_at, count(DISTINCT session) AS sessions,
      ${count} AS events, ${views} AS views, ${bought} AS purchases, count(DISTINCT order_id) AS orders,
      ${purchases(AMOUNT)} AS revenue
    FROM ${events} GROUP BY shopper`
}

/** Sums and maxima of a rollup by key, over whole events of some shoppers. */
export function totalsSql(rollup: Rollup, events: string): string {
  const keys = Object.keys(rollup.key)
  const sums = Object.keys(rollup.sums).map((name) => `CAST(sum(${name}) AS ${typeOf(name)}) AS ${name}`)
  const maxima = Object.keys(rollup.maxima).map((name) => `max(${name}) AS ${name}`)
  return `SELECT ${[...keys, ...sums, ...maxima].join(', ')} FROM (${perShopperSql(rollup, events)}) GROUP BY ${keys.join(', ')}`
}

/** What changed, by key: sums after less before, and maxima of either side as `NAME_after` and `NAME_before`. */
export function differenceSql(rollup: Rollup): string {
  const keys = Object.keys(rollup.key)
  const sums = Object.keys(rollup.sums).map(
    (name) => `CAST(sum(side * ${name}) AS ${typeOf(name)}) AS ${name}`,
  )
  const maxima = Object.keys(rollup.maxima).flatMap((name) => [
    `max(${name}) FILTER (WHERE side = 1) AS ${name}_after`,
    `max(${name}) FILTER (WHERE side = -1) AS ${name}_before`,
  ])
  const changed = Object.keys(rollup.sums).map((name) => `sum(side * ${name}) <> 0`)
  const moved = Object.keys(rollup.maxima).map(
    (name) => `max(${name}) FILTER (WHERE side = 1) IS DISTINCT FROM max(${name}) FILTER (WHERE side = -1)`,
  )
  return `SELECT ${[...keys, ...sums, ...maxima].join(', ')}
    FROM (SELECT 1 AS side, * FROM (${perShopperSql(rollup, 'after')}) UNION ALL SELECT -1, * FROM (${perShopperSql(rollup, 'before')}))
    GROUP BY ${keys.join(', ')} HAVING ${[...changed, ...moved].join(' OR ')}`
}

function perShopperSql({ key, sums, maxima }: Rollup, events: string): string {
  const named = (columns: Readonly<Record<string, string>>) =>
    Object.entries(columns).map(([name, expression]) => `${expression} AS ${name}`)
  const greatest = Object.entries(maxima).map(([name, expression]) => `max(${expression}) AS ${name}`)
  const [first = ''] = Object.values(key)
  return `SELECT ${[...named(key), 'shopper', ...named(sums), ...greatest].join(', ')} FROM ${events}
    WHERE ${first} IS NOT NULL GROUP BY ${Object.values(key).join(', ')}, shopper`
}

/** Type that a sum is kept in. */
export function typeOf(name: string): string {
  return name === 'revenue' || name === 'units' ? 'DECIMAL(38, 6)' : 'BIGINT'
}
