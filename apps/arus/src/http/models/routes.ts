import { ModelsSchema } from '../../api-schema/index.ts'
import type { HelperReport } from '../../registry/registry.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'

type Metrics = Record<string, Record<string, number>>

function helperOf(report: HelperReport | null | undefined) {
  if (!report) return null
  return { kind: report.kind, metrics: report.metrics as Metrics, reason: report.reason }
}

/** `GET /models` */
export function modelRoutes(app: Api, { models }: ApiDeps): void {
  app.get(
    '/models',
    {
      config: { scope: 'operations' },
      schema: {
        tags: ['models'],
        summary: 'Trained versions, newest first',
        response: responses(ModelsSchema, [503]),
      },
    },
    async () => ({
      models: (await models()).map((model) => ({
        version: model.version,
        kind: model.kind,
        status: model.status,
        metrics: model.metrics as Metrics,
        trained_at: model.trained_at,
        promoted_at: model.promoted_at,
        reason: model.reason,
        outdated: model.outdated,
        user_count: model.user_count,
        product_count: model.product_count,
        interaction_count: model.interaction_count,
        session: helperOf(model.session),
        cart: helperOf(model.cart),
      })),
    }),
  )
}
