/** Live and historical figures. */
import Type, { type Static } from 'typebox'
import { EventSchema } from './events.ts'
import { Nullable } from './nullable.ts'

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
  /** Sessions that began today and are over; means are null when there are none. */
  closed_sessions: Type.Object({
    sessions: Type.Integer(),
    events_per_session: Nullable(Type.Number()),
    minutes_mean: Nullable(Type.Number()),
    bounce_rate: Nullable(Type.Number()),
    purchase_rate: Nullable(Type.Number()),
  }),
  late_events_today: Type.Integer({ description: 'Events of today that came too late to join a session' }),
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
  engine: Type.Union([Type.Literal('duckdb'), Type.Literal('trino')]),
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
  conversion: Nullable(Type.Number({ description: 'Buyers over users, 0 to 1.' })),
  orders: Type.Integer(),
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
  top_categories: Type.Array(
    Type.Object({
      category: Type.String(),
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

/** How long something took those who did it; null when nobody did. */
const TimesSchema = Nullable(
  Type.Object({ median_ms: Type.Number(), mean_ms: Type.Number(), p90_ms: Type.Number() }),
)

const FunnelStepsSchema = Type.Array(
  Type.Object({
    step: Type.String(),
    shoppers: Type.Integer(),
    /** Share of the first step, 0 to 1. */
    of_first: Nullable(Type.Number()),
    /** Share of the step before, 0 to 1. */
    of_previous: Nullable(Type.Number()),
    /** Time from the step before. */
    from_previous: TimesSchema,
  }),
)

export const FunnelSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  order: Type.Union([Type.Literal('strict'), Type.Literal('exact'), Type.Literal('any')]),
  /** From the first to the last step at most; null is no bound. */
  window_ms: Nullable(Type.Integer()),
  split_by: Nullable(Type.String()),
  steps: FunnelStepsSchema,
  /** Time from the first to the last step. */
  first_to_last: TimesSchema,
  /** By the value of `split_by` at the first step, those of most shoppers first; null is no value. */
  groups: Type.Array(Type.Object({ value: Nullable(Type.String()), steps: FunnelStepsSchema })),
  /** The shoppers of all further groups; null when there are none. */
  other: Nullable(FunnelStepsSchema),
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
  time_zone: Type.String(),
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
  time_zone: Type.String(),
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

export const RetentionSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  interval: Type.Union([Type.Literal('day'), Type.Literal('week')]),
  time_zone: Type.String(),
  /** What a shopper begins with; null is anything. */
  action: Nullable(Type.String()),
  /** What a shopper is back with; null is anything. */
  return_action: Nullable(Type.String()),
  /** Shoppers by the day or week of their first event, oldest first; those without shoppers are left out. */
  cohorts: Type.Array(
    Type.Object({
      start: Type.String({ description: 'First date, YYYY-MM-DD in the time zone.' }),
      shoppers: Type.Integer(),
      returned: Type.Array(Type.Integer(), {
        description: 'Shoppers active 0, 1, 2, … periods later, of those that have begun.',
      }),
      complete: Type.Integer({ description: 'How many of `returned` are over and will not grow.' }),
    }),
  ),
  /** Per period, over the cohorts for which it is over. */
  overall: Type.Array(
    Type.Object({
      period: Type.Integer(),
      shoppers: Type.Integer(),
      returned: Type.Integer(),
      share: Nullable(Type.Number()),
    }),
  ),
  as_of: AsOfSchema,
})
export type Retention = Static<typeof RetentionSchema>

const SearchFields = {
  searches: Type.Integer(),
  shoppers: Type.Integer(),
  click_rate: Nullable(Type.Number({ description: 'Share of searches followed by a view or click.' })),
  purchase_rate: Nullable(Type.Number({ description: 'Share of searches followed by a purchase.' })),
  revenue: Type.Number(),
}

export const SearchesSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  ...SearchFields,
  distinct_queries: Type.Integer(),
  queries: Type.Array(Type.Object({ query: Type.String(), ...SearchFields })),
  as_of: AsOfSchema,
})
export type Searches = Static<typeof SearchesSchema>

const AttributionFields = {
  answers: Type.Integer({ description: 'Answers given.' }),
  shown: Type.Integer({ description: 'Products in them.' }),
  seen: Type.Integer({ description: 'Of those, seen (`recommendation_viewed`).' }),
  clicked: Type.Integer(),
  purchases: Type.Integer({ description: 'Purchases after a click, within the window.' }),
  revenue: Type.Number(),
  view_purchases: Type.Integer({ description: 'Purchases after a view without a click, within the window.' }),
  view_revenue: Type.Number(),
  click_through: Nullable(Type.Number({ description: 'Clicked over shown.' })),
  click_through_of_seen: Nullable(Type.Number({ description: 'Clicked and seen over seen.' })),
  purchases_per_click: Nullable(Type.Number({ description: 'Purchases over clicked products.' })),
}

export const AttributionSchema = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  window_ms: Type.Integer(),
  total: Type.Object(AttributionFields),
  by_scenario: Type.Array(Type.Object({ scenario: Type.String(), ...AttributionFields })),
  by_position: Type.Array(Type.Object({ position: Type.Integer(), ...AttributionFields })),
  /** Null where no model answered. */
  by_model: Type.Array(
    Type.Object({
      model: Nullable(Type.String()),
      version: Nullable(Type.Integer()),
      ...AttributionFields,
    }),
  ),
  as_of: AsOfSchema,
})
export type Attribution = Static<typeof AttributionSchema>

export const ShopperTimelineSchema = Type.Object({
  user_id: Type.String(),
  /** Over the whole period, not the page. */
  summary: Type.Object({
    events: Type.Integer(),
    sessions: Type.Integer(),
    first_event_at: Nullable(Type.Integer()),
    last_event_at: Nullable(Type.Integer()),
    purchases: Type.Integer(),
    revenue: Type.Number(),
  }),
  /** Newest first. */
  events: Type.Array(
    Type.Object({
      event_id: Type.String(),
      ts: Type.Integer(),
      action: Type.String(),
      product_id: Nullable(Type.String()),
      title: Nullable(Type.String()),
      category: Nullable(Type.String()),
      price: Nullable(Type.Number()),
      quantity: Nullable(Type.Number()),
      order_id: Nullable(Type.String()),
      recommendation_id: Nullable(Type.String()),
      position: Nullable(Type.Integer()),
      query: Nullable(Type.String()),
      session: Type.String(),
    }),
  ),
  next_cursor: Nullable(Type.String()),
  as_of: AsOfSchema,
})
export type ShopperTimeline = Static<typeof ShopperTimelineSchema>
