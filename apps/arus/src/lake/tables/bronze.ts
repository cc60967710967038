import { defineTable, type TableDefinition } from '../table-definition.ts'

/** As it came: catalogue rows as text, every event of the log, and what could not be taken. */
export const BRONZE: readonly TableDefinition[] = [
  defineTable(
    'bronze.products',
    'Rows of the products file as they stand in it.',
    `line_number long Line of the file the row begins on, from 1
     asin string Product id
     title string Title
     imgUrl string Picture
     productURL string Page
     stars string Mean rating
     reviews string Number of ratings
     price string Price
     listPrice string Price before discount
     category_id string Category id (US file)
     categoryName string Category name (country editions)
     isBestSeller string True or False
     boughtInLastMonth string Purchases of the last month`,
  ),
  defineTable(
    'bronze.categories',
    'Rows of the categories file, and categories that products name.',
    `id string Category id
     category_name string Name`,
  ),
  defineTable(
    'bronze.rejected_products',
    'Rows of the products and categories files that could not be taken as they are, and why.',
    `line_number long Line of the file, from 1
     reason string Code of the reason
     detail string What was found
     raw string The row, or its start
     asin string Product id, where the row has one
     rejected_at timestamp Time of the import`,
  ),
  defineTable(
    'bronze.events',
    'Every event of the log, in the order it was taken in; a repeated event_id stands here as often as it came.',
    `event_id string Idempotency key
     user_id string Signed-in shopper
     session_id string Session given by the sender
     anonymous_id string Visitor not signed in
     action string view, click, add_to_cart, remove_from_cart, purchase, search, … 
     product_id string Product
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
    'bronze.rejected_events',
    'Events that could not be taken, as they came.',
    `raw string The event as JSON text
     pointer string JSON Pointer to what is wrong
     reason string Why
     received_at timestamp When it came
     log_topic string Topic it stands in
     log_partition integer Partition of the log
     log_offset long Offset in the partition`,
  ),
  defineTable(
    'bronze.recommendations',
    'Every recommendation that was answered, with its passport.',
    `recommendation_id string Id of the answer
     user_id string Shopper
     scenario string Where it was shown
     fallback string Level it fell to; null when the model answered
     model_name string Algorithm
     model_version integer Version in the registry
     generated_at timestamp When it was answered
     products string Products shown, with rank and score, JSON
     passport string What it rested on, JSON
     log_partition integer Partition of the log
     log_offset long Offset in the partition
     generated_date date UTC date of generated_at`,
    ['generated_date'],
  ),
]
