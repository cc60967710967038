import { eachRow, inRange, notNull, unique } from '../quality-check.ts'
import { defineTable, type TableDefinition } from '../table-definition.ts'

const DAY_OF_TS = eachRow('event_date is the day of ts', `event_date = (ts AT TIME ZONE 'UTC')::DATE`)

/** As it came: catalogue rows as text, every event of the log, and what could not be taken. */
export const BRONZE: readonly TableDefinition[] = [
  defineTable(
    'bronze.products',
    'Rows of the products file as they stand in it.',
    `line_number long [lines] Line of the file the row begins on, from 1
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
    { checks: [...notNull('line_number'), unique('line_number')] },
  ),
  defineTable(
    'bronze.categories',
    'Rows of the categories file, and categories that products name.',
    `id string Category id
     category_name string Name`,
    { checks: [...notNull('id', 'category_name'), unique('id')] },
  ),
  defineTable(
    'bronze.rejected_products',
    'Rows of the products and categories files that could not be taken as they are, and why.',
    `line_number long [lines] Line of the file, from 1
     reason string Code of the reason
     detail string What was found
     raw string The row, or its start
     asin string Product id, where the row has one
     rejected_at timestamp [UTC] Time of the import`,
    { checks: notNull('reason', 'rejected_at') },
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
      clusterColumns: ['log_partition', 'log_offset'],
      checks: [
        ...notNull('event_id', 'action', 'ts', 'received_at', 'log_partition', 'log_offset', 'event_date'),
        unique('log_partition', 'log_offset'),
        inRange('price', 0, 1e12),
        inRange('quantity', 0, 1e9),
        inRange('position', 1, 100_000),
        eachRow('belongs to somebody', 'coalesce(user_id, anonymous_id, session_id) IS NOT NULL'),
        DAY_OF_TS,
      ],
    },
  ),
  defineTable(
    'bronze.rejected_events',
    'Events that could not be taken, as they came.',
    `raw string The event as JSON text
     pointer string JSON Pointer to what is wrong
     reason string Why
     received_at timestamp [UTC] When it came
     log_topic string Topic it stands in
     log_partition integer Partition of the log
     log_offset long Offset in the partition`,
    {
      clusterColumns: ['log_topic', 'log_partition', 'log_offset'],
      checks: [
        ...notNull('raw', 'reason', 'received_at', 'log_topic', 'log_partition', 'log_offset'),
        unique('log_topic', 'log_partition', 'log_offset'),
      ],
    },
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
     generated_at timestamp [UTC] When it was answered
     products string Products shown, with rank, score, reason and, where places were drawn, propensity, JSON
     passport string What it rested on, JSON: events as [partition, offset, product, action], candidates as [product, score]
     log_partition integer Partition of the log
     log_offset long Offset in the partition
     generated_date date [UTC day] UTC date of generated_at
     rules string Revision of the rules of the business, and those that changed it, JSON; null where none was in force
     exploration_probability double [0 to 1] Of each place, that its product was drawn at random; null where nothing was
     session_id string Session asked for or with
     took_ms double [ms] Until the answer was made
     experiments string Experiments it belongs to, with variant, JSON; null when none
     shadows string What models in the shadow would have answered, JSON; null when none`,
    {
      partitionColumns: ['generated_date'],
      clusterColumns: ['log_partition', 'log_offset'],
      checks: [
        ...notNull('recommendation_id', 'generated_at', 'products', 'passport', 'generated_date'),
        unique('log_partition', 'log_offset'),
        unique('recommendation_id'),
      ],
    },
  ),
  defineTable(
    'bronze.removed_shoppers',
    'Who was removed, as a hash, and up to where in the log: what a rebuild from the log leaves out.',
    `shopper_hash string SHA-256 of the shopper, hexadecimal
     log_topic string Topic
     log_partition integer Partition of the log
     log_offset long [records] First offset that may be theirs again
     removed_at timestamp [UTC] When they were removed`,
    {
      checks: notNull('shopper_hash', 'log_topic', 'log_partition', 'log_offset', 'removed_at'),
    },
  ),
]
