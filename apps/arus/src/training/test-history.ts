import type { Lake } from '../lake/lake.ts'

const DAY = 86_400_000
/** When the history of `writeHistory` begins, UTC ms. */
export const HISTORY_START_MS: number = Date.UTC(2026, 2, 1)

/** 120 shoppers of four groups, 80 products of four categories: shoppers of group g touch products of category g, `share` of the time. */
export async function writeHistory(lake: Lake, seed: number, share: number): Promise<void> {
  await lake.write(
    'silver.products',
    `SELECT 'P' || i AS product_id, 'thing number ' || i || ' of kind' || (i % 4) AS title, NULL AS image_url, NULL AS product_url,
       4.0 AS stars, 10 AS reviews, 5 + i AS price, NULL AS list_price, NULL AS discount, i % 4 AS category_id,
       'kind ' || (i % 4) AS category, false AS is_best_seller, 0 AS bought_in_last_month FROM range(80) t(i)`,
    { mode: 'overwrite' },
  )
  await lake.write(
    'silver.interactions',
    `SELECT 'u' || user AS shopper, 'P' || (CASE WHEN hash(user, i, ${seed}) % 100 < ${100 * share} THEN 4 * (hash(i, user, ${seed}) % 20) + user % 4
         ELSE hash(i, user, ${seed}, 1) % 80 END) AS product_id, 'view' AS action, 1 AS weight,
       make_timestamp((${HISTORY_START_MS} + (hash(user, i, 7) % ${14 * DAY})::BIGINT) * 1000)::TIMESTAMPTZ AS ts, DATE '2026-03-01' AS event_date
     FROM range(120) u(user), range(25) n(i)`,
    { mode: 'overwrite' },
  )
}
