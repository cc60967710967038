/**
 * The shapes of the HTTP API: the one place where they are written. Routes validate and serialise with them,
 * OpenAPI is generated from them, and the dashboard takes its types from here (types only).
 */
import Type, { type Static } from 'typebox'

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** RFC 9457 problem document. */
export const ProblemSchema = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  request_id: Type.String(),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), reason: Type.String() }))),
})
export type Problem = Static<typeof ProblemSchema>

export const ProductSchema = Type.Object({
  product_id: Type.String(),
  title: Type.String(),
  image_url: Nullable(Type.String()),
  product_url: Nullable(Type.String()),
  stars: Nullable(Type.Number()),
  reviews: Type.Integer(),
  price: Nullable(Type.Number()),
  list_price: Nullable(Type.Number()),
  discount: Nullable(Type.Number()),
  category_id: Nullable(Type.Integer()),
  category: Nullable(Type.String()),
  is_best_seller: Type.Boolean(),
  bought_in_last_month: Type.Integer(),
})
export type ProductBody = Static<typeof ProductSchema>

export const ProductPageSchema = Type.Object({
  products: Type.Array(Type.Intersect([ProductSchema, Type.Object({ score: Type.Number() })])),
  total: Type.Integer(),
  total_is_exact: Type.Boolean(),
  next_cursor: Nullable(Type.String()),
  took_ms: Type.Number(),
})
export type ProductPage = Static<typeof ProductPageSchema>

export const CategoriesSchema = Type.Object({
  categories: Type.Array(
    Type.Object({ category_id: Type.Integer(), name: Type.String(), product_count: Type.Integer() }),
  ),
})
export type CategoriesBody = Static<typeof CategoriesSchema>

export const ReasonSchema = Type.Object({
  kind: Type.Union([
    Type.Literal('because_of'),
    Type.Literal('similar'),
    Type.Literal('bought_together'),
    Type.Literal('session'),
    Type.Literal('trending'),
    Type.Literal('popular'),
    Type.Literal('static'),
  ]),
  /** Product of the shopper's past that led to this one. */
  because_of: Type.Optional(Type.Object({ product_id: Type.String(), title: Nullable(Type.String()) })),
})

export const RecommendedProductSchema = Type.Object({
  product_id: Type.String(),
  rank: Type.Integer({ description: 'From 1.' }),
  score: Type.Number(),
  reason: ReasonSchema,
  title: Nullable(Type.String()),
  category: Nullable(Type.String()),
  price: Nullable(Type.Number()),
  list_price: Nullable(Type.Number()),
  image_url: Nullable(Type.String()),
  product_url: Nullable(Type.String()),
  stars: Nullable(Type.Number()),
  reviews: Nullable(Type.Integer()),
})
export type RecommendedProduct = Static<typeof RecommendedProductSchema>

export const FallbackSchema = Nullable(
  Type.Union([
    Type.Literal('session'),
    Type.Literal('trending'),
    Type.Literal('popular'),
    Type.Literal('static'),
  ]),
)

export const RecommendationSchema = Type.Object({
  recommendation_id: Type.String(),
  user_id: Nullable(Type.String()),
  scenario: Type.String(),
  recommendations: Type.Array(RecommendedProductSchema),
  model: Nullable(
    Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      trained_at: Type.String({ format: 'date-time' }),
    }),
  ),
  fallback: FallbackSchema,
  generated_at: Type.String({ format: 'date-time' }),
  took_ms: Type.Number(),
})
export type Recommendation = Static<typeof RecommendationSchema>

export const TrendingSchema = Type.Object({
  trending: Type.Array(
    Type.Intersect([
      RecommendedProductSchema,
      Type.Object({
        trend_score: Type.Number(),
        views_today: Type.Integer(),
        growth_rate: Nullable(Type.Number()),
      }),
    ]),
  ),
  fallback: FallbackSchema,
  generated_at: Type.String({ format: 'date-time' }),
  took_ms: Type.Number(),
})
export type Trending = Static<typeof TrendingSchema>

export const IngestResultSchema = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Integer(),
  errors: Type.Array(Type.Object({ index: Type.Integer(), pointer: Type.String(), reason: Type.String() })),
})
export type IngestBody = Static<typeof IngestResultSchema>

export const EventSchema = Type.Object({
  event_id: Type.String(),
  user_id: Nullable(Type.String()),
  session_id: Nullable(Type.String()),
  anonymous_id: Nullable(Type.String()),
  action: Type.String(),
  product_id: Nullable(Type.String()),
  ts: Type.Integer(),
  received_at: Type.Integer(),
  price: Nullable(Type.Number()),
  quantity: Nullable(Type.Number()),
  order_id: Nullable(Type.String()),
  recommendation_id: Nullable(Type.String()),
  position: Nullable(Type.Integer()),
  query: Nullable(Type.String()),
  properties: Nullable(Type.Record(Type.String(), Type.Unknown())),
})

export const FunnelCountsSchema = Type.Object({
  view: Type.Integer(),
  click: Type.Integer(),
  add_to_cart: Type.Integer(),
  purchase: Type.Integer(),
})

/** `GET /analytics`, and each `analytics` message of `/stream/analytics`: live figures. */
export const LiveAnalyticsSchema = Type.Object({
  total_users: Type.Integer(),
  active_sessions: Type.Integer(),
  active_users: Type.Integer(),
  funnel: FunnelCountsSchema,
  /** Shares of the step before, 0 to 1; null when the step before is empty. */
  conversion: Type.Object({
    view_to_click: Nullable(Type.Number()),
    click_to_cart: Nullable(Type.Number()),
    cart_to_purchase: Nullable(Type.Number()),
    view_to_purchase: Nullable(Type.Number()),
  }),
  events_today: Type.Integer(),
  events_total: Type.Integer(),
  revenue_today: Type.Number(),
  actions: Type.Record(Type.String(), Type.Integer()),
  events_per_second: Type.Number(),
  recommendations_per_minute: Type.Number(),
  events_per_minute: Type.Array(Type.Object({ minute: Type.Integer(), count: Type.Integer() })),
  recent_events: Type.Array(EventSchema),
  newest_event_at: Nullable(Type.Integer()),
  generated_at: Type.Integer(),
})
export type LiveAnalyticsBody = Static<typeof LiveAnalyticsSchema>

/** Where historical figures come from: silver at a version, and the newest event in it. */
export const AsOfSchema = Type.Object({
  table_versions: Type.Record(Type.String(), Type.Integer()),
  newest_event_at: Nullable(Type.Integer()),
  took_ms: Type.Number(),
})

export const UserBehaviorSchema = Type.Object({
  users: Type.Integer(),
  sessions: Type.Integer(),
  events: Type.Integer(),
  events_per_user: Nullable(Type.Number()),
  events_per_session: Nullable(Type.Number()),
  session_minutes_mean: Nullable(Type.Number()),
  session_minutes_median: Nullable(Type.Number()),
  bounce_rate: Nullable(Type.Number({ description: 'Share of sessions with a single event, 0 to 1.' })),
  buyers: Type.Integer(),
  repeat_buyers: Type.Integer(),
  revenue: Type.Number(),
  average_order_value: Nullable(Type.Number()),
  actions: Type.Array(Type.Object({ action: Type.String(), events: Type.Integer(), users: Type.Integer() })),
  top_products: Type.Array(
    Type.Object({
      product_id: Type.String(),
      title: Nullable(Type.String()),
      views: Type.Integer(),
      purchases: Type.Integer(),
      revenue: Type.Number(),
    }),
  ),
  top_users: Type.Array(
    Type.Object({
      user_id: Type.String(),
      events: Type.Integer(),
      purchases: Type.Integer(),
      revenue: Type.Number(),
    }),
  ),
  as_of: AsOfSchema,
})
export type UserBehavior = Static<typeof UserBehaviorSchema>

export const FunnelSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  steps: Type.Array(
    Type.Object({
      step: Type.String(),
      shoppers: Type.Integer(),
      /** Share of the first step, 0 to 1. */
      of_first: Nullable(Type.Number()),
      /** Share of the step before, 0 to 1. */
      of_previous: Nullable(Type.Number()),
    }),
  ),
  by_day: Type.Array(
    Type.Object({
      date: Type.String(),
      view: Type.Integer(),
      click: Type.Integer(),
      add_to_cart: Type.Integer(),
      purchase: Type.Integer(),
    }),
  ),
  by_category: Type.Array(
    Type.Object({
      category: Type.String(),
      view: Type.Integer(),
      click: Type.Integer(),
      add_to_cart: Type.Integer(),
      purchase: Type.Integer(),
    }),
  ),
  as_of: AsOfSchema,
})
export type Funnel = Static<typeof FunnelSchema>

export const TimelineSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  interval: Type.Union([Type.Literal('minute'), Type.Literal('hour'), Type.Literal('day')]),
  /** Count per action at each step, aligned with `times` (UTC ms, start of the step). */
  times: Type.Array(Type.Integer()),
  series: Type.Array(Type.Object({ action: Type.String(), counts: Type.Array(Type.Integer()) })),
  as_of: AsOfSchema,
})
export type Timeline = Static<typeof TimelineSchema>

export const HeatmapSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  time_zone: Type.String(),
  /** Distinct active shoppers summed over the period's days. `weekday` 1 is Monday, `hour` 0 to 23. */
  cells: Type.Array(
    Type.Object({
      weekday: Type.Integer(),
      hour: Type.Integer(),
      active_users: Type.Integer(),
      events: Type.Integer(),
    }),
  ),
  as_of: AsOfSchema,
})
export type Heatmap = Static<typeof HeatmapSchema>

export const TrendsSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  interval: Type.Union([Type.Literal('hour'), Type.Literal('day')]),
  times: Type.Array(Type.Integer()),
  categories: Type.Array(
    Type.Object({
      category: Type.String(),
      views: Type.Array(Type.Integer()),
      purchases: Type.Array(Type.Integer()),
      total_views: Type.Integer(),
      total_purchases: Type.Integer(),
      revenue: Type.Number(),
      /** Second half of the period against the first: 0.5 is half as many again. */
      growth: Nullable(Type.Number()),
    }),
  ),
  as_of: AsOfSchema,
})
export type Trends = Static<typeof TrendsSchema>

export const SlotHealthSchema = Type.Object({
  slot: Type.String(),
  adapter: Type.String({ description: 'What the slot is connected to: lmdb, duckdb, sqlite, …' }),
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('down')]),
  detail: Type.String(),
})

export const HealthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('down')]),
  version: Type.String(),
  shop: Type.String(),
  uptime_seconds: Type.Number(),
  products: Type.Integer(),
  model: Nullable(Type.Object({ name: Type.String(), version: Type.Integer() })),
  slots: Type.Array(SlotHealthSchema),
})
export type Health = Static<typeof HealthSchema>

/** `GET /system/metrics`: what whoever is on call looks at. */
export const SystemMetricsSchema = Type.Object({
  services: Type.Array(SlotHealthSchema),
  process: Type.Object({
    uptime_seconds: Type.Number(),
    memory_bytes: Type.Integer(),
    cpu_percent: Type.Number(),
    event_loop_delay_ms_p99: Type.Number(),
  }),
  http: Type.Object({
    requests_per_second: Type.Number(),
    latency_ms_p50: Nullable(Type.Number()),
    latency_ms_p99: Nullable(Type.Number()),
    errors_per_minute: Type.Number(),
  }),
  topics: Type.Array(
    Type.Object({
      topic: Type.String(),
      size_bytes: Type.Integer(),
      messages: Type.Integer(),
      messages_per_second: Type.Number(),
      partitions: Type.Array(
        Type.Object({
          partition: Type.Integer(),
          start_offset: Type.Integer(),
          end_offset: Type.Integer(),
          newest_at: Nullable(Type.Integer()),
        }),
      ),
    }),
  ),
  consumer_groups: Type.Array(
    Type.Object({
      group: Type.String(),
      lag: Type.Integer(),
      lag_seconds: Type.Number(),
      processed_per_second: Type.Number(),
      partitions: Type.Array(
        Type.Object({
          topic: Type.String(),
          partition: Type.Integer(),
          committed_offset: Type.Integer(),
          end_offset: Type.Integer(),
          lag: Type.Integer(),
          lag_seconds: Type.Number(),
        }),
      ),
    }),
  ),
  tables: Type.Array(
    Type.Object({
      table: Type.String(),
      version: Type.Integer(),
      rows: Type.Integer(),
      files: Type.Integer(),
      size_bytes: Type.Integer(),
      updated_at: Nullable(Type.Integer()),
      failing_checks: Type.Integer({
        description: 'Quality checks that must hold and failed when they last looked',
      }),
    }),
  ),
  storage: Type.Array(Type.Object({ name: Type.String(), size_bytes: Type.Integer() })),
  /** Throughput of the last 10 minutes, one point each 5 s, oldest first. */
  history: Type.Array(
    Type.Object({
      at: Type.Integer(),
      produced_per_second: Type.Number(),
      processed_per_second: Type.Number(),
      lag: Type.Integer(),
      requests_per_second: Type.Number(),
    }),
  ),
  generated_at: Type.Integer(),
})
export type SystemMetrics = Static<typeof SystemMetricsSchema>

export const ModelSchema = Type.Object({
  version: Type.Integer(),
  kind: Type.String(),
  status: Type.Union([Type.Literal('candidate'), Type.Literal('production'), Type.Literal('archived')]),
  metrics: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
  trained_at: Type.Integer(),
  promoted_at: Nullable(Type.Integer()),
  reason: Type.String(),
  user_count: Type.Integer(),
  product_count: Type.Integer(),
  interaction_count: Type.Integer(),
})
export const ModelsSchema = Type.Object({ models: Type.Array(ModelSchema) })
export type ModelsBody = Static<typeof ModelsSchema>

/** `GET /recommendations/{recommendation_id}`: where an answer came from. */
export const PassportSchema = Type.Object({
  recommendation_id: Type.String(),
  user_id: Nullable(Type.String()),
  session_id: Nullable(Type.String()),
  scenario: Type.String(),
  generated_at: Type.Integer({ description: 'UTC milliseconds.' }),
  fallback: FallbackSchema,
  /** Events it rested on, by their place in the log, newest first, at most 50. */
  events: Type.Array(
    Type.Object({
      partition: Type.Integer(),
      offset: Type.Integer(),
      product_id: Type.String(),
      action: Type.String(),
    }),
  ),
  model: Nullable(
    Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      trained_at: Type.String({ format: 'date-time' }),
    }),
  ),
  /** What each retriever brought, and its share of the blend; at most 50 candidates in all. */
  retrievers: Type.Array(
    Type.Object({
      retriever: Type.String(),
      weight: Type.Number(),
      candidates: Type.Array(Type.Object({ product_id: Type.String(), score: Type.Number() })),
    }),
  ),
  filters: Type.Array(Type.String()),
  result: Type.Array(
    Type.Object({
      product_id: Type.String(),
      rank: Type.Integer(),
      score: Type.Number(),
      reason: Type.String(),
    }),
  ),
})
export type PassportBody = Static<typeof PassportSchema>

/** `GET /`: where to go from here. */
export const RootSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  links: Type.Record(Type.String(), Type.String()),
})

/** `DELETE /users/{user_id}`: how many entries were removed, by place (`live state`, `bronze.events`, …). */
export const ForgottenSchema = Type.Object({
  user_id: Type.String(),
  removed: Type.Record(Type.String(), Type.Integer()),
})
export type Forgotten = Static<typeof ForgottenSchema>

const IdInput = (description: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Integer()], { description }))

/** An event as it may be sent. Documentation: ingest validates event by event, so that one never sinks the others. */
export const EventInputSchema = Type.Object(
  {
    event_id: IdInput('Idempotency key; given one when absent.'),
    user_id: IdInput('At least one of user_id, anonymous_id and session_id is needed.'),
    anonymous_id: IdInput('A visitor who is not known.'),
    session_id: IdInput('The session.'),
    action: Type.String({
      description: 'view, click, add_to_cart, remove_from_cart, purchase, search, recommendation_viewed, …',
      examples: ['view'],
    }),
    product_id: IdInput('The product.'),
    ts: Type.Optional(
      Type.Union([Type.Integer(), Type.String()], { description: 'Event time; now when absent.' }),
    ),
    price: Type.Optional(Type.Number({ description: 'Of one unit.' })),
    quantity: Type.Optional(Type.Number()),
    order_id: IdInput('The order of a purchase.'),
    recommendation_id: Type.Optional(Type.String({ description: 'The answer that showed the product.' })),
    position: Type.Optional(Type.Integer({ description: 'Rank at which it was shown, from 1.' })),
    query: Type.Optional(Type.String({ description: 'Text of a search.' })),
    properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: true },
)
