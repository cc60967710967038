import type { UserBehavior } from '../api-schema/index.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { askLake, named, REVENUE_SQL } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import type { Period } from './period.ts'

const TOP = 10
const ACTIONS_MAX = 50

interface Row {
  readonly totals: { readonly users: number; readonly events: number; readonly revenue: number }
  readonly sessions: {
    readonly sessions: number
    readonly bounces: number
    readonly mean_ms: number | null
    readonly median_ms: number | null
  }
  readonly orders: { readonly buyers: number; readonly repeat_buyers: number; readonly orders: number }
  readonly actions: UserBehavior['actions'] | null
  readonly products: UserBehavior['top_products'] | null
  readonly categories: UserBehavior['top_categories'] | null
  readonly users: UserBehavior['top_users'] | null
}

const VIEWS = `count(*) FILTER (WHERE action = 'view')`
const PURCHASES = `count(*) FILTER (WHERE action = 'purchase')`

const withSql = ({ epochMs }: SqlDialect) => [
  `per_session AS (
    SELECT count(*) AS events, ${epochMs('max(ts)')} - ${epochMs('min(ts)')} AS length_ms FROM e GROUP BY session)`,
  // A purchase without an order_id belongs to the order of its session.
  `per_buyer AS (
    SELECT count(DISTINCT coalesce('order ' || order_id, 'session ' || session)) AS orders
    FROM e WHERE action = 'purchase' GROUP BY shopper)`,
  `per_action AS (
    SELECT action, count(*) AS events, count(DISTINCT shopper) AS users
    FROM e GROUP BY action ORDER BY events DESC, action LIMIT ${ACTIONS_MAX})`,
  `per_product AS (
    SELECT product_id, ${VIEWS} AS views, ${PURCHASES} AS purchases, ${REVENUE_SQL} AS revenue
    FROM e WHERE product_id IS NOT NULL GROUP BY product_id
    HAVING count(*) FILTER (WHERE action IN ('view', 'purchase')) > 0 ORDER BY views DESC, purchases DESC, product_id LIMIT ${TOP})`,
  `per_category AS (
    SELECT category, ${VIEWS} AS views, ${PURCHASES} AS purchases, ${REVENUE_SQL} AS revenue
    FROM e WHERE category IS NOT NULL GROUP BY category
    HAVING count(*) FILTER (WHERE action IN ('view', 'purchase')) > 0 ORDER BY views DESC, purchases DESC, category LIMIT ${TOP})`,
  `per_user AS (
    SELECT shopper AS user_id, count(*) AS events, ${PURCHASES} AS purchases, ${REVENUE_SQL} AS revenue
    FROM e GROUP BY shopper ORDER BY revenue DESC, events DESC, shopper LIMIT ${TOP})`,
]

const figuresOf = ({ object, quantile }: SqlDialect) => ({
  totals: `SELECT ${object({ users: 'count(DISTINCT shopper)', events: 'count(*)', revenue: REVENUE_SQL })} FROM e`,
  sessions: `SELECT ${object({
    sessions: 'count(*)',
    bounces: 'count(*) FILTER (WHERE events = 1)',
    mean_ms: 'avg(length_ms)',
    median_ms: quantile('length_ms', 0.5),
  })} FROM per_session`,
  orders: `SELECT ${object({
    buyers: 'count(*)',
    repeat_buyers: 'count(*) FILTER (WHERE orders > 1)',
    orders: 'coalesce(sum(orders), 0)',
  })} FROM per_buyer`,
  actions: `SELECT array_agg(${object(named('action', 'events', 'users'))} ORDER BY events DESC, action) FROM per_action`,
  products: `SELECT array_agg(${object({
    product_id: 't.product_id',
    title: 's.title',
    views: 't.views',
    purchases: 't.purchases',
    revenue: 't.revenue',
  })} ORDER BY t.views DESC, t.purchases DESC, t.product_id)
    FROM per_product t LEFT JOIN gold.product_stats s ON t.product_id = s.product_id`,
  categories: `SELECT array_agg(${object(named('category', 'views', 'purchases', 'revenue'))}
    ORDER BY views DESC, purchases DESC, category) FROM per_category`,
  users: `SELECT array_agg(${object(named('user_id', 'events', 'purchases', 'revenue'))}
    ORDER BY revenue DESC, events DESC, user_id) FROM per_user`,
})

/** How shoppers behave in a period; each figure is defined in `docs/ANALYTICS.md`. */
export async function userBehavior(questions: LakeQuestions, period: Period): Promise<UserBehavior> {
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: withSql(dialect),
    figures: figuresOf(dialect),
  }))
  const { users, events, revenue } = row.totals
  const { sessions, bounces, mean_ms, median_ms } = row.sessions
  return {
    users,
    sessions,
    events,
    events_per_user: ratio(events, users),
    events_per_session: ratio(events, sessions),
    session_minutes_mean: minutes(mean_ms),
    session_minutes_median: minutes(median_ms),
    bounce_rate: ratio(bounces, sessions),
    buyers: row.orders.buyers,
    repeat_buyers: row.orders.repeat_buyers,
    conversion: ratio(row.orders.buyers, users),
    orders: row.orders.orders,
    revenue: money(revenue),
    average_order_value: ratio(revenue, row.orders.orders),
    actions: row.actions ?? [],
    top_products: (row.products ?? []).map((product) => ({ ...product, revenue: money(product.revenue) })),
    top_categories: (row.categories ?? []).map((category) => ({
      ...category,
      revenue: money(category.revenue),
    })),
    top_users: (row.users ?? []).map((user) => ({ ...user, revenue: money(user.revenue) })),
    as_of: row.asOf,
  }
}

/** Null where there is nothing to divide by. */
export function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** Hundredths: sums of doubles carry noise beyond them. */
export function money(amount: number): number {
  return Math.round(amount * 100) / 100
}

function minutes(ms: number | null): number | null {
  return ms === null ? null : ms / 60_000
}
