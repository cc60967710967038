import { defineTable, type TableDefinition } from '../table-definition.ts'

/** Typed, de-duplicated, joined. */
export const SILVER: readonly TableDefinition[] = [
  defineTable(
    'silver.products',
    'One row per product, typed; category joined.',
    `product_id string Product id
     title string Title
     image_url string Picture
     product_url string Page
     stars double Mean rating, 0 to 5
     reviews long Number of ratings
     price double Price, shop currency; null when none is given
     list_price double Price before discount; null when none is given
     discount double 1 - price / list_price, 0 to 1; null when it is not lower
     category_id integer Category id
     category string Category name
     is_best_seller boolean Marked as best seller
     bought_in_last_month long Purchases of the last month`,
  ),
  defineTable(
    'silver.events',
    'Each event once (the first of an event_id), with shopper, session and category.',
    `event_id string Idempotency key, unique
     user_id string Signed-in shopper
     session_id string Session given by the sender
     anonymous_id string Visitor not signed in
     shopper string user_id, else anonymous_id, else session_id
     session string session_id, else shopper and start of a stretch without a gap of 30 minutes
     action string What was done
     product_id string Product
     category string Category of the product
     ts timestamp When it happened
     received_at timestamp When Arus took it in
     price double Price of one unit, shop currency
     quantity double Units
     order_id string Order
     recommendation_id string Recommendation that led to it
     position integer Rank at which the product was shown, from 1
     query string Search text
     properties string Anything else the sender gave, JSON
     log_partition integer Partition of the log
     log_offset long Offset in the partition
     event_date date UTC date of ts`,
    ['event_date'],
  ),
  defineTable(
    'silver.interactions',
    'Events that say a shopper wants a product, with how strongly: what models are trained from.',
    `shopper string Who
     product_id string Product
     action string What was done
     weight double Strength: view 1, click 2, add_to_cart 4, purchase 6
     ts timestamp When it happened
     event_date date UTC date of ts`,
    ['event_date'],
  ),
]
