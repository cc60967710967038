import Type from 'typebox'
import {
  AttributionSchema,
  FunnelSchema,
  HeatmapSchema,
  LiveAnalyticsSchema,
  RetentionSchema,
  SearchesSchema,
  ShopperTimelineSchema,
  TimelineSchema,
  TrendsSchema,
  UserBehaviorSchema,
} from '../../api-schema/index.ts'
import { ArusError } from '../../errors.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'
import { readCursor, writeCursor } from '../tables/page-cursor.ts'
import { durationOf } from './duration.ts'
import { FunnelQuery, funnelOptionsOf } from './funnel-query.ts'
import { liveBodyOf } from './live-body.ts'
import { PeriodFields, periodOf } from './period.ts'

const PeriodQuery = Type.Object(PeriodFields)
const TimeZone = Type.Optional(
  Type.String({
    maxLength: 64,
    description: 'IANA name of the zone of days, weekdays and hours. Default ARUS_TIME_ZONE, else UTC.',
    examples: ['Asia/Jakarta'],
  }),
)
const Action = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_.:-]{0,63}$', description, examples: ['purchase'] }))
const TimelineQuery = Type.Object({
  ...PeriodFields,
  interval: Type.Optional(Type.Union([Type.Literal('minute'), Type.Literal('hour'), Type.Literal('day')])),
  time_zone: TimeZone,
})
const TrendsQuery = Type.Object({
  ...PeriodFields,
  interval: Type.Optional(Type.Union([Type.Literal('hour'), Type.Literal('day')])),
  time_zone: TimeZone,
  category: Type.Optional(Type.String({ maxLength: 200, description: 'Only this category, by name.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Categories at most.' })),
})
const HeatmapQuery = Type.Object({ ...PeriodFields, time_zone: TimeZone })
const RetentionQuery = Type.Object({
  ...PeriodFields,
  interval: Type.Optional(
    Type.Union([Type.Literal('day'), Type.Literal('week')], { description: 'Default week, from Monday.' }),
  ),
  time_zone: TimeZone,
  action: Action('A shopper begins with the first event of this action. Default any.'),
  return_action: Action('A shopper is back with an event of this action. Default any.'),
  periods: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 60, description: 'Periods followed. Default 14 days, 12 weeks.' }),
  ),
})
const AttributionQuery = Type.Object({
  ...PeriodFields,
  window: Type.Optional(
    Type.String({
      maxLength: 10,
      description: 'From click to purchase at most: a number and s, m, h, d or w. Default 7d.',
      examples: ['24h', '7d'],
    }),
  ),
})
const SearchesQuery = Type.Object({
  ...PeriodFields,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'Queries at most. Default 20.' }),
  ),
})
const ShopperQuery = Type.Object({
  ...PeriodFields,
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Events of a page at most.' }),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`next_cursor` of the page before.' })),
})

/** `/analytics` (live) and `/analytics/…` (from the lake). */
export function analyticsRoutes(app: Api, { live, analytics }: ApiDeps): void {
  app.get(
    '/analytics',
    { config: { scope: 'analytics' }, schema: about('Live figures', LiveAnalyticsSchema) },
    async () => {
      const state = live()
      if (state === null)
        throw new ArusError('NOT_READY', 'Live state is not there now; try again in a second.')
      return liveBodyOf(state.analytics())
    },
  )

  app.get(
    '/analytics/user_behavior',
    {
      config: { scope: 'analytics' },
      schema: { ...about('How shoppers behave', UserBehaviorSchema), querystring: PeriodQuery },
    },
    async (request) => analytics.userBehavior(periodOf(request.query)),
  )

  app.get(
    '/analytics/funnel',
    {
      config: { scope: 'analytics' },
      schema: { ...about('Step by step to a purchase', FunnelSchema), querystring: FunnelQuery },
    },
    async (request) => analytics.funnel({ ...periodOf(request.query), ...funnelOptionsOf(request.query) }),
  )

  app.get(
    '/analytics/timeline',
    {
      config: { scope: 'analytics' },
      schema: { ...about('Events over time', TimelineSchema), querystring: TimelineQuery },
    },
    async ({ query }) => analytics.timeline({ ...periodOf(query), ...intervalOf(query), ...zoneOf(query) }),
  )

  app.get(
    '/analytics/heatmap',
    {
      config: { scope: 'analytics' },
      schema: { ...about('Active shoppers by weekday and hour', HeatmapSchema), querystring: HeatmapQuery },
    },
    async ({ query }) => analytics.heatmap({ ...periodOf(query), ...zoneOf(query) }),
  )

  app.get(
    '/analytics/trends',
    {
      config: { scope: 'analytics' },
      schema: { ...about('Categories over time', TrendsSchema), querystring: TrendsQuery },
    },
    async ({ query }) => {
      const { category, limit } = query
      return analytics.trends({
        ...periodOf(query),
        ...intervalOf(query),
        ...zoneOf(query),
        ...(category === undefined ? {} : { category }),
        ...(limit === undefined ? {} : { limit }),
      })
    },
  )

  app.get(
    '/analytics/retention',
    {
      config: { scope: 'analytics' },
      schema: { ...about('Who comes back', RetentionSchema), querystring: RetentionQuery },
    },
    async ({ query }) => {
      const { action, return_action, periods } = query
      return analytics.retention({
        ...periodOf(query),
        ...intervalOf(query),
        ...zoneOf(query),
        ...(action === undefined ? {} : { action }),
        ...(return_action === undefined ? {} : { returnAction: return_action }),
        ...(periods === undefined ? {} : { periods }),
      })
    },
  )

  app.get(
    '/analytics/attribution',
    {
      config: { scope: 'analytics' },
      schema: { ...about('What came of recommendations', AttributionSchema), querystring: AttributionQuery },
    },
    async ({ query }) =>
      analytics.attribution({
        ...periodOf(query),
        ...(query.window ? { windowMs: durationOf('window', query.window) } : {}),
      }),
  )

  app.get(
    '/analytics/searches',
    {
      config: { scope: 'analytics' },
      schema: { ...about('What shoppers search for', SearchesSchema), querystring: SearchesQuery },
    },
    async ({ query }) =>
      analytics.searches({
        ...periodOf(query),
        ...(query.limit === undefined ? {} : { limit: query.limit }),
      }),
  )

  app.get(
    '/analytics/users/:user_id',
    {
      config: { scope: 'analytics' },
      schema: {
        ...about('What one shopper did, newest first', ShopperTimelineSchema),
        params: Type.Object({ user_id: Type.String({ minLength: 1, maxLength: 512 }) }),
        querystring: ShopperQuery,
      },
    },
    async ({ params: { user_id }, query }) => {
      const [ts = 0, partition = 0, offset = 0] = query.cursor
        ? readCursor(query.cursor, `shopper ${user_id}`, 3)
        : []
      const { next, ...page } = await analytics.shopper({
        ...periodOf(query),
        shopper: user_id,
        limit: query.limit,
        ...(query.cursor ? { before: { ts, partition, offset } } : {}),
      })
      const next_cursor = next && writeCursor(`shopper ${user_id}`, [next.ts, next.partition, next.offset])
      return { ...page, next_cursor }
    },
  )
}

function about<T extends Type.TSchema>(summary: string, body: T) {
  return { tags: ['analytics'], summary, response: responses(body, [400, 503]) }
}

function intervalOf<T extends string>({ interval }: { readonly interval?: T }): { readonly interval?: T } {
  return interval === undefined ? {} : { interval }
}

function zoneOf({ time_zone }: { readonly time_zone?: string }): { readonly timeZone?: string } {
  return time_zone ? { timeZone: time_zone } : {}
}
