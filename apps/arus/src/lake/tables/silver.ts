import { ACTION_WEIGHTS } from '../../events/event.ts'
import { eachRow, inRange, notNegative, notNull, oneOf, refersTo, unique } from '../quality-check.ts'
import { defineTable, type TableDefinition } from '../table-definition.ts'

const DAY_OF_TS = eachRow('event_date is the day of ts', `event_date = (ts AT TIME ZONE 'UTC')::DATE`)
const WEIGHTED = Object.keys(ACTION_WEIGHTS).filter((action) => (ACTION_WEIGHTS[action] ?? 0) > 0)

/** Typed, de-duplicated, joined. */
export const SILVER: readonly TableDefinition[] = [
  defineTable(
    'silver.products',
    'One row per product, typed; category joined.',
    `product_id string Product id
     title string Title
     image_url string Picture
     product_url string Page
     stars double [stars] Mean rating, 0 to 5
     reviews long [ratings] Number of ratings
     price double [shop currency] Price; null when none is given
     list_price double [shop currency] Price before discount; null when none is given
     discount double [share] 1 - price / list_price, 0 to 1; null when it is not lower
     category_id integer Category id
     category string Category name
     is_best_seller boolean Marked as best seller
     bought_in_last_month long [purchases] Purchases of the last month`,
    {
      checks: [
        ...notNull('product_id', 'title'),
        unique('product_id'),
        inRange('stars', 0, 5),
        ...notNegative('reviews', 'price', 'list_price', 'bought_in_last_month'),
        inRange('discount', 0, 1),
        refersTo('category_id', 'bronze.categories', 'id'),
      ],
    },
  ),
  defineTable(
    'silver.events',
    'Each event once (the first of an event_id), with shopper, session and category.',
    `event_id string Idempotency key, unique
     user_id string Signed-in shopper
     session_id string Session given by the sender
     anonymous_id string Visitor not signed in
     shopper string user_id, else anonymous_id, else session_id
     session string session_id, else shopper and start of a stretch without a gap of ARUS_SESSION_GAP_MINUTES
     action string What was done
     product_id string Product
     category string Category of the product
     ts timestamp [UTC] When it happened
     received_at timestamp [UTC] When Arus took it in
     price double [shop currency] Price of one unit
     quantity double [pieces] Units
     order_id string Order
     recommendation_id string Recommendation that led to it
     position integer [rank] Rank at which the product was shown, from 1
     query string Search text
     properties string Anything else the sender gave, JSON
     log_partition integer Partition of the log
     log_offset long Offset in the partition
     event_date date [UTC day] UTC date of ts`,
    {
      partitionColumns: ['event_date'],
      clusterColumns: ['shopper', 'ts'],
      checks: [
        ...notNull('event_id', 'shopper', 'session', 'action', 'ts', 'received_at', 'event_date'),
        unique('event_id'),
        unique('log_partition', 'log_offset'),
        inRange('price', 0, 1e12),
        inRange('quantity', 0, 1e9),
        eachRow('a purchase has a price', "action <> 'purchase' OR price IS NOT NULL", 'warning'),
        eachRow('happened before it was taken in', 'ts <= received_at + INTERVAL 1 DAY', 'warning'),
        DAY_OF_TS,
        refersTo('product_id', 'silver.products', 'product_id'),
      ],
    },
  ),
  defineTable(
    'silver.interactions',
    'Events that say a shopper wants a product, with how strongly: what models are trained from.',
    `shopper string Who
     product_id string Product
     action string What was done
     weight double [points] Strength: view 1, click and recommendation_clicked 2, add_to_cart 4, purchase 6
     ts timestamp [UTC] When it happened
     event_date date [UTC day] UTC date of ts`,
    {
      partitionColumns: ['event_date'],
      clusterColumns: ['shopper', 'ts'],
      checks: [
        ...notNull('shopper', 'product_id', 'action', 'weight', 'ts', 'event_date'),
        oneOf('action', WEIGHTED),
        inRange('weight', 1, 6),
        DAY_OF_TS,
        refersTo('product_id', 'silver.products', 'product_id'),
      ],
    },
  ),
]
