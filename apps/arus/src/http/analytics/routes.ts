import Type from 'typebox'
import {
  FunnelSchema,
  HeatmapSchema,
  LiveAnalyticsSchema,
  TimelineSchema,
  TrendsSchema,
  UserBehaviorSchema,
} from '../../api-schema/index.ts'
import { ArusError } from '../../errors.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'
import { FunnelQuery, funnelOptionsOf } from './funnel-query.ts'
import { liveBodyOf } from './live-body.ts'
import { PeriodFields, periodOf } from './period.ts'

const PeriodQuery = Type.Object(PeriodFields)
const TimelineQuery = Type.Object({
  ...PeriodFields,
  interval: Type.Optional(Type.Union([Type.Literal('minute'), Type.Literal('hour'), Type.Literal('day')])),
})
const TrendsQuery = Type.Object({
  ...PeriodFields,
  interval: Type.Optional(Type.Union([Type.Literal('hour'), Type.Literal('day')])),
  category: Type.Optional(Type.String({ maxLength: 200, description: 'Only this category, by name.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Categories at most.' })),
})
const HeatmapQuery = Type.Object({
  ...PeriodFields,
  time_zone: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'IANA name of the zone of weekdays and hours. Default UTC.',
      examples: ['Asia/Jakarta'],
    }),
  ),
})

/** `/analytics` (live) and `/analytics/…` (from the lake). */
export function analyticsRoutes(app: Api, { live, analytics }: ApiDeps): void {
  app.get('/analytics', { schema: about('Live figures', LiveAnalyticsSchema) }, async () => {
    const state = live()
    if (state === null)
      throw new ArusError('NOT_READY', 'Live state is not there now; try again in a second.')
    return liveBodyOf(state.analytics())
  })

  app.get(
    '/analytics/user_behavior',
    { schema: { ...about('How shoppers behave', UserBehaviorSchema), querystring: PeriodQuery } },
    async (request) => analytics.userBehavior(periodOf(request.query)),
  )

  app.get(
    '/analytics/funnel',
    { schema: { ...about('Step by step to a purchase', FunnelSchema), querystring: FunnelQuery } },
    async (request) => analytics.funnel({ ...periodOf(request.query), ...funnelOptionsOf(request.query) }),
  )

  app.get(
    '/analytics/timeline',
    { schema: { ...about('Events over time', TimelineSchema), querystring: TimelineQuery } },
    async (request) => analytics.timeline({ ...periodOf(request.query), ...intervalOf(request.query) }),
  )

  app.get(
    '/analytics/heatmap',
    { schema: { ...about('Active shoppers by weekday and hour', HeatmapSchema), querystring: HeatmapQuery } },
    async (request) => {
      const { time_zone } = request.query
      return analytics.heatmap({
        ...periodOf(request.query),
        ...(time_zone === undefined ? {} : { timeZone: time_zone }),
      })
    },
  )

  app.get(
    '/analytics/trends',
    { schema: { ...about('Categories over time', TrendsSchema), querystring: TrendsQuery } },
    async (request) => {
      const { category, limit } = request.query
      return analytics.trends({
        ...periodOf(request.query),
        ...intervalOf(request.query),
        ...(category === undefined ? {} : { category }),
        ...(limit === undefined ? {} : { limit }),
      })
    },
  )
}

function about<T extends Type.TSchema>(summary: string, body: T) {
  return { tags: ['analytics'], summary, response: responses(body, [400, 503]) }
}

function intervalOf<T extends string>({ interval }: { readonly interval?: T }): { readonly interval?: T } {
  return interval === undefined ? {} : { interval }
}
