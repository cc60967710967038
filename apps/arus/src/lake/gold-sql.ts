import type { TableName } from './table-names.ts'

const REVENUE = `coalesce(sum(price * coalesce(quantity, 1)) FILTER (action = 'purchase'), 0)`

const COUNTS = `count(*) FILTER (action = 'view') AS views, count(*) FILTER (action = 'click') AS clicks,
  count(*) FILTER (action = 'add_to_cart') AS carts, count(*) FILTER (action = 'purchase') AS purchases`

/** The gold tables computed from silver, in full: SELECT by table. `model_metrics` is written by training. */
export function goldSql(events: string, products: string): ReadonlyMap<TableName, string> {
  return new Map<TableName, string>([
    [
      'gold.product_stats',
      `SELECT e.*, p.title, p.category FROM (
         SELECT product_id, ${COUNTS}, count(DISTINCT shopper) AS shoppers,
           coalesce(sum(coalesce(quantity, 1)) FILTER (action = 'purchase'), 0) AS units, ${REVENUE} AS revenue, max(ts) AS last_event_at
         FROM ${events} WHERE product_id IS NOT NULL GROUP BY product_id) e
       LEFT JOIN ${products} p USING (product_id)`,
    ],
    [
      'gold.category_stats',
      `SELECT coalesce(c.category, e.category) AS category, coalesce(c.products, 0) AS products,
         coalesce(views, 0) AS views, coalesce(clicks, 0) AS clicks, coalesce(carts, 0) AS carts,
         coalesce(purchases, 0) AS purchases, coalesce(shoppers, 0) AS shoppers, coalesce(revenue, 0) AS revenue
       FROM (SELECT category, count(*) AS products FROM ${products} WHERE category IS NOT NULL GROUP BY category) c
       FULL JOIN (SELECT category, ${COUNTS}, count(DISTINCT shopper) AS shoppers, ${REVENUE} AS revenue
         FROM ${events} WHERE category IS NOT NULL GROUP BY category) e USING (category)`,
    ],
    [
      'gold.hourly_activity',
      `SELECT time_bucket(INTERVAL 1 HOUR, ts::TIMESTAMP)::TIMESTAMPTZ AS hour_start, isodow(any_value(ts::TIMESTAMP)) AS weekday,
         hour(any_value(ts::TIMESTAMP)) AS hour, count(*) AS events, ${COUNTS}, count(DISTINCT shopper) AS active_users, ${REVENUE} AS revenue
       FROM ${events} GROUP BY hour_start`,
    ],
    [
      'gold.daily_funnel',
      `SELECT event_date, count(DISTINCT shopper) FILTER (action = 'view') AS view,
         count(DISTINCT shopper) FILTER (action = 'click') AS click,
         count(DISTINCT shopper) FILTER (action = 'add_to_cart') AS add_to_cart,
         count(DISTINCT shopper) FILTER (action = 'purchase') AS purchase, ${REVENUE} AS revenue
       FROM ${events} GROUP BY event_date`,
    ],
    [
      'gold.user_stats',
      `SELECT shopper, min(ts) AS first_event_at, max(ts) AS last_event_at, count(DISTINCT session) AS sessions,
         count(*) AS events, count(*) FILTER (action = 'view') AS views, count(*) FILTER (action = 'purchase') AS purchases,
         count(DISTINCT order_id) AS orders, ${REVENUE} AS revenue
       FROM ${events} GROUP BY shopper`,
    ],
  ])
}
