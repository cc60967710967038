/** Every table of the lake; `lake/tables/` defines their columns. */
export const TABLE_NAMES = [
  'bronze.products',
  'bronze.categories',
  'bronze.rejected_products',
  'bronze.events',
  'bronze.rejected_events',
  'bronze.recommendations',
  'bronze.removed_shoppers',
  'silver.products',
  'silver.events',
  'silver.interactions',
  'gold.product_stats',
  'gold.category_stats',
  'gold.hourly_activity',
  'gold.daily_funnel',
  'gold.user_stats',
  'gold.model_metrics',
  'gold.evaluations',
  'gold.quality_results',
] as const

export type TableName = (typeof TABLE_NAMES)[number]
