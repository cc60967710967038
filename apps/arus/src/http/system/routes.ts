import Type from 'typebox'
import {
  type Health,
  HealthSchema,
  LagHistorySchema,
  RootSchema,
  SystemMetricsSchema,
} from '../../api-schema/index.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { presentedKey } from '../keys/presented-key.ts'
import type { ApiMetrics } from '../metrics.ts'
import { problemResponses, responses } from '../responses.ts'

const TAGS = ['system']
const METRICS_RESPONSE = {
  200: { description: 'Prometheus text format 0.0.4.', content: { 'text/plain': { schema: Type.String() } } },
  ...problemResponses([]),
} as const

const LINKS = {
  docs: '/docs',
  openapi: '/openapi.json',
  health: '/health',
  recommendations: '/recommendations/user/{user_id}',
  similar: '/recommendations/similar/{product_id}',
  trending: '/recommendations/trending',
  products: '/products?q=',
  categories: '/categories',
  events: '/stream/events',
  analytics: '/analytics',
  live_recommendations: '/stream/recommendations/{user_id}',
  live_analytics: '/stream/analytics',
  models: '/models',
  system: '/system/metrics',
  lag: '/system/lag',
  metrics: '/metrics',
}

/** `/`, `/health`, `/system/metrics`, `/system/lag`, `/metrics` */
export function systemRoutes(app: Api, deps: ApiDeps, metrics: ApiMetrics): void {
  app.get(
    '/',
    {
      config: { scope: 'open' },
      schema: { tags: TAGS, summary: 'Where to go', response: responses(RootSchema) },
    },
    async () => ({
      name: 'arus',
      version: deps.version,
      links: LINKS,
    }),
  )

  app.get(
    '/health',
    {
      config: { scope: 'open' },
      schema: {
        tags: TAGS,
        summary: 'Health of each part',
        description:
          '503 when the status is "down"; "degraded" answers from fallbacks. Where keys are required, only an admin key is told where the slots keep their data.',
        response: { ...responses(HealthSchema), 503: HealthSchema },
      },
    },
    async (request, reply) => {
      const health = await deps.health()
      const isTold = deps.keys === undefined || deps.keys.find(presentedKey(request) ?? '')?.kind === 'admin'
      return reply
        .status(health.status === 'down' ? 503 : 200)
        .send(isTold ? health : { ...health, slots: health.slots.map(withoutDetail) })
    },
  )

  app.get(
    '/system/metrics',
    {
      config: { scope: 'operations' },
      schema: { tags: TAGS, summary: 'What operations look at', response: responses(SystemMetricsSchema) },
    },
    async () => deps.systemMetrics(),
  )

  app.get(
    '/system/lag',
    {
      config: { scope: 'operations' },
      schema: {
        tags: TAGS,
        summary: 'How far behind consumers were',
        description:
          'In messages and seconds, by group and partition: the worst of each step, 10 s for an hour, a minute for a day.',
        querystring: Type.Object({
          span: Type.Union([Type.Literal('hour'), Type.Literal('day')], { default: 'hour' }),
        }),
        response: responses(LagHistorySchema, [400]),
      },
    },
    async (request) => deps.lagHistory(request.query.span),
  )

  app.get(
    '/metrics',
    {
      config: { scope: 'operations' },
      schema: {
        tags: TAGS,
        summary: 'Prometheus metrics',
        produces: ['text/plain'],
        response: METRICS_RESPONSE,
      },
    },
    async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  )
}

/** Folders and addresses of engines are nothing for strangers. */
function withoutDetail(slot: Health['slots'][number]): Health['slots'][number] {
  return { ...slot, detail: '', problem: null }
}
