import { defineTable, type TableDefinition } from '../table-definition.ts'

/** Answers to the usual questions. */
export const GOLD: readonly TableDefinition[] = [
  defineTable(
    'gold.product_stats',
    'Per product, over all time.',
    `product_id string Product
     title string Title
     category string Category
     views long Views
     clicks long Clicks
     carts long Additions to a cart
     purchases long Purchase events
     shoppers long Distinct shoppers
     units double Units bought
     revenue double Price × quantity of purchases, shop currency
     last_event_at timestamp Newest event`,
  ),
  defineTable(
    'gold.category_stats',
    'Per category, over all time.',
    `category string Category
     products long Products of the catalogue
     views long Views
     clicks long Clicks
     carts long Additions to a cart
     purchases long Purchase events
     shoppers long Distinct shoppers
     revenue double Price × quantity of purchases, shop currency`,
  ),
  defineTable(
    'gold.hourly_activity',
    'Per UTC hour.',
    `hour_start timestamp Start of the hour, UTC
     weekday integer ISO weekday of the hour, 1 is Monday
     hour integer Hour of the day, 0 to 23, UTC
     events long Events
     views long Views
     clicks long Clicks
     carts long Additions to a cart
     purchases long Purchase events
     active_users long Distinct shoppers
     revenue double Price × quantity of purchases, shop currency`,
  ),
  defineTable(
    'gold.daily_funnel',
    'Distinct shoppers who did each step on a UTC day, in whatever order.',
    `event_date date UTC date
     view long Shoppers who viewed
     click long Shoppers who clicked
     add_to_cart long Shoppers who added to a cart
     purchase long Shoppers who bought
     revenue double Price × quantity of purchases, shop currency`,
  ),
  defineTable(
    'gold.user_stats',
    'Per shopper, over all time.',
    `shopper string Who
     first_event_at timestamp Oldest event
     last_event_at timestamp Newest event
     sessions long Distinct sessions
     events long Events
     views long Views
     purchases long Purchase events
     orders long Distinct orders
     revenue double Price × quantity of purchases, shop currency`,
  ),
  defineTable(
    'gold.model_metrics',
    'Metrics of each algorithm tried for each model version.',
    `version integer Version in the registry
     kind string Algorithm
     metric string recall@20, ndcg@20, …
     value double Value
     trained_at timestamp When`,
  ),
]
