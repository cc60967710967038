import { eachRow, inRange, notNegative, notNull, refersTo, unique } from '../quality-check.ts'
import { defineTable, type TableDefinition } from '../table-definition.ts'

/** Answers to the usual questions. */
export const GOLD: readonly TableDefinition[] = [
  defineTable(
    'gold.product_stats',
    'Per product, over all time.',
    `product_id string Product
     title string Title
     category string Category
     events long [events] Events of any action
     views long [events] Views
     clicks long [events] Clicks
     carts long [events] Additions to a cart
     purchases long [events] Purchase events
     shoppers long [shoppers] Distinct shoppers
     units decimal(38,6) [pieces] Units bought
     revenue decimal(38,6) [shop currency] Price × quantity of purchases, exact to a millionth
     last_event_at timestamp [UTC] Newest event`,
    {
      clusterColumns: ['product_id'],
      checks: [
        ...notNull('product_id', 'last_event_at'),
        unique('product_id'),
        ...notNegative('views', 'clicks', 'carts', 'purchases', 'units', 'revenue'),
        inRange('events', 1, null),
        eachRow('no more shoppers than events', 'shoppers BETWEEN 1 AND events'),
        refersTo('product_id', 'silver.products', 'product_id'),
      ],
    },
  ),
  defineTable(
    'gold.category_stats',
    'Per category, over all time.',
    `category string Category
     products long [products] Products of the catalogue
     events long [events] Events of any action
     views long [events] Views
     clicks long [events] Clicks
     carts long [events] Additions to a cart
     purchases long [events] Purchase events
     shoppers long [shoppers] Distinct shoppers
     revenue decimal(38,6) [shop currency] Price × quantity of purchases, exact to a millionth`,
    {
      clusterColumns: ['category'],
      checks: [
        ...notNull('category'),
        unique('category'),
        ...notNegative('products', 'events', 'views', 'clicks', 'carts', 'purchases', 'revenue'),
        eachRow('no more shoppers than events', 'shoppers BETWEEN 0 AND events'),
      ],
    },
  ),
  defineTable(
    'gold.hourly_activity',
    'Per UTC hour.',
    `hour_start timestamp [UTC] Start of the hour, UTC
     weekday integer ISO weekday of the hour, 1 is Monday
     hour integer [h] Hour of the day, 0 to 23, UTC
     events long [events] Events
     views long [events] Views
     clicks long [events] Clicks
     carts long [events] Additions to a cart
     purchases long [events] Purchase events
     active_users long [shoppers] Distinct shoppers
     revenue decimal(38,6) [shop currency] Price × quantity of purchases, exact to a millionth
     event_date date [UTC day] UTC date of the hour`,
    {
      partitionColumns: ['event_date'],
      clusterColumns: ['hour_start'],
      checks: [
        ...notNull('hour_start', 'event_date'),
        unique('hour_start'),
        inRange('weekday', 1, 7),
        inRange('hour', 0, 23),
        inRange('events', 1, null),
        ...notNegative('views', 'clicks', 'carts', 'purchases', 'revenue'),
        eachRow('no more shoppers than events', 'active_users BETWEEN 1 AND events'),
      ],
    },
  ),
  defineTable(
    'gold.daily_funnel',
    'Distinct shoppers who did each step on a UTC day, in whatever order.',
    `event_date date [UTC day] UTC date
     events long [events] Events of any action
     view long [shoppers] Shoppers who viewed
     click long [shoppers] Shoppers who clicked
     add_to_cart long [shoppers] Shoppers who added to a cart
     purchase long [shoppers] Shoppers who bought
     revenue decimal(38,6) [shop currency] Price × quantity of purchases, exact to a millionth`,
    {
      partitionColumns: ['event_date'],
      checks: [
        ...notNull('event_date'),
        unique('event_date'),
        inRange('events', 1, null),
        ...notNegative('view', 'click', 'add_to_cart', 'purchase', 'revenue'),
      ],
    },
  ),
  defineTable(
    'gold.user_stats',
    'Per shopper, over all time.',
    `shopper string Who
     first_event_at timestamp [UTC] Oldest event
     last_event_at timestamp [UTC] Newest event
     sessions long [sessions] Distinct sessions
     events long [events] Events
     views long [events] Views
     purchases long [events] Purchase events
     orders long [orders] Distinct orders
     revenue decimal(38,6) [shop currency] Price × quantity of purchases, exact to a millionth`,
    {
      clusterColumns: ['shopper'],
      checks: [
        ...notNull('shopper', 'first_event_at', 'last_event_at'),
        unique('shopper'),
        inRange('events', 1, null),
        ...notNegative('views', 'purchases', 'orders', 'revenue'),
        eachRow('no more sessions than events', 'sessions BETWEEN 1 AND events'),
        eachRow('first before last', 'first_event_at <= last_event_at'),
      ],
    },
  ),
  defineTable(
    'gold.model_metrics',
    'Metrics of each algorithm tried for each model version.',
    `version integer Version in the registry
     kind string Algorithm
     metric string recall@20, ndcg@20, …
     value double Value
     trained_at timestamp [UTC] When`,
    {
      checks: [
        ...notNull('version', 'kind', 'metric', 'value'),
        unique('version', 'kind', 'metric', 'trained_at'),
      ],
    },
  ),
  defineTable(
    'gold.evaluations',
    'What `arus evaluate` measured: a row for each run, model and metric.',
    `run_id string Id of the run
     evaluated_at timestamp [UTC] When it ended
     data string silver.interactions, names of files, or bronze.recommendations
     data_version string Versions of the tables, or the first digits of the files' SHA-256
     split string time, leave-last-out, given (by files), last-day (of sessions) or off-policy
     model string Algorithm; production is the one in service, fitted on the same training data
     options string Its options, chosen on validation data, JSON
     metric string recall@20, ndcg@20, …; off-policy click_ips, click_snips, click_doubly_robust, …
     value double Value
     low double Lower end of the 95 % confidence interval; null where there is none
     high double Upper end
     users long [shoppers] Test shoppers, test sessions, or answers
     is_chosen boolean The run would take this model`,
    {
      clusterColumns: ['evaluated_at'],
      checks: [
        ...notNull('run_id', 'evaluated_at', 'data', 'split', 'model', 'metric', 'value', 'users'),
        unique('run_id', 'model', 'metric'),
        inRange('users', 1, null),
        eachRow(
          'the value is in its interval',
          'value BETWEEN coalesce(low, value) AND coalesce(high, value)',
        ),
      ],
    },
  ),
  defineTable(
    'gold.quality_results',
    'What the checks of the tables found, of the rows written since the checks before; kept 30 days.',
    `table_name string Table
     check_name string Check
     kind string not_null, range, one_of, unique, reference or row
     severity string error or warning
     checked_rows long [rows] Rows looked at
     failing_rows long [rows] Rows that fail
     sample_keys string Up to five of them, by their key, JSON
     table_version long Version of the table that was checked
     checked_at timestamp [UTC] When
     checked_date date [UTC day] Day of checked_at`,
    {
      partitionColumns: ['checked_date'],
      clusterColumns: ['table_name', 'check_name', 'checked_at'],
    },
  ),
]
