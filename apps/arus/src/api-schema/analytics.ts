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
