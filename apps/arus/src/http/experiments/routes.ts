import Type from 'typebox'
import {
  type ExperimentBody,
  type ExperimentDetailBody,
  ExperimentDetailSchema,
  ExperimentSchema,
  ExperimentsSchema,
  NewExperimentSchema,
} from '../../api-schema/experiments.ts'
import type { Experiment } from '../../experiments/experiment.ts'
import type { ExperimentResults } from '../../experiments/results.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { jsonText } from '../events/json-text.ts'
import { exactBody } from '../exact-body.ts'
import { problemResponses, responses } from '../responses.ts'

const TAGS = ['experiments']
const BODY_LIMIT_BYTES = 64 * 1024
const Params = Type.Object({ experiment_id: Type.String({ minLength: 1, maxLength: 64 }) })

/** `/experiments`, for admin keys. Registers its own body parser, so `scope` must be encapsulated. */
export function experimentRoutes(scope: Api, { experiments }: Pick<ApiDeps, 'experiments'>): void {
  jsonText(scope)
  scope.get(
    '/experiments',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'All experiments, newest first',
        response: responses(ExperimentsSchema),
      },
    },
    async () => ({ experiments: (await experiments.list()).map(bodyOf) }),
  )
  scope.post(
    '/experiments',
    {
      config: { scope: 'admin' },
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: exactBody,
      schema: {
        tags: TAGS,
        summary: 'Make an experiment',
        description: 'A draft: nobody is treated before it is started.',
        body: NewExperimentSchema,
        response: {
          201: { ...ExperimentSchema, description: 'Made.' },
          ...problemResponses([400, 409, 413, 415]),
        },
      },
    },
    async (request, reply) => reply.code(201).send(bodyOf(await experiments.create(request.body))),
  )
  scope.get(
    '/experiments/:experiment_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'An experiment, and what it has come to',
        params: Params,
        response: responses(ExperimentDetailSchema, [400, 404, 503]),
      },
    },
    async (request) => {
      const experiment = await experiments.get(request.params.experiment_id)
      const results = await experiments.results(experiment)
      return { ...bodyOf(experiment), results: results === null ? null : resultsBodyOf(results) }
    },
  )
  for (const [change, summary, description] of [
    ['start', 'Start a draft', 'Its models are loaded and shoppers are treated when this is answered.'],
    [
      'stop',
      'Stop an experiment',
      'Production answers everyone again. What was stopped is not started again.',
    ],
  ] as const) {
    scope.post(
      `/experiments/:experiment_id/${change}`,
      {
        config: { scope: 'admin' },
        bodyLimit: BODY_LIMIT_BYTES,
        schema: {
          tags: TAGS,
          summary,
          description,
          params: Params,
          response: responses(ExperimentSchema, [400, 404, 409, 413, 415]),
        },
      },
      async (request) => {
        const { experiment_id } = request.params as { readonly experiment_id: string }
        if (change === 'start') return bodyOf(await experiments.start(experiment_id))
        return bodyOf(await experiments.stop(experiment_id, 'Stopped by hand.'))
      },
    )
  }
  scope.delete(
    '/experiments/:experiment_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete an experiment that does not run',
        description: 'Passports of its answers keep its id.',
        params: Params,
        response: responses(ExperimentSchema, [400, 404, 409]),
      },
    },
    async (request) => bodyOf(await experiments.remove(request.params.experiment_id)),
  )
}

function bodyOf(experiment: Experiment): ExperimentBody {
  return structuredClone(experiment) as ExperimentBody
}

function resultsBodyOf({ judgement, ...results }: ExperimentResults): ExperimentDetailBody['results'] {
  const { verdict = null, sample_ratio = null, comparisons = [] } = judgement ?? {}
  return structuredClone({
    verdict,
    sample_ratio,
    comparisons,
    ...results,
  }) as ExperimentDetailBody['results']
}
