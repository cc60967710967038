import { afterEach, beforeEach, expect, test } from 'vitest'
import { createExperiments } from '../../experiments/experiments.ts'
import { judge } from '../../experiments/judge.ts'
import type { ExperimentResults, VariantResult } from '../../experiments/results.ts'
import { openTestExperiments, registerModel } from '../../experiments/test-experiments.ts'
import { expectProblem, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
let parts: Awaited<ReturnType<typeof openTestExperiments>>
let refreshCount: number
beforeEach(async () => {
  refreshCount = 0
  parts = await openTestExperiments()
  await registerModel(parts.registry, { a: ['b'] })
  const experiments = createExperiments({
    store: parts.store,
    registry: parts.registry,
    resultsOf: async (experiment): Promise<ExperimentResults> => {
      const share = (mean: number) => ({ count: 5_000, mean, variance: mean * (1 - mean) })
      const variants = experiment.variants.map(
        ({ name }, i): VariantResult => ({
          name,
          units: 5_000,
          answers: 9_000,
          fell_back: 3,
          metrics: {
            click_through: share(i === 0 ? 0.1 : 0.2),
            conversion: share(0.02),
            revenue: share(0.5),
            latency: share(0.3),
            fallback_rate: share(0.1),
          },
        }),
      )
      return {
        judgement: judge(experiment, variants),
        variants,
        shadows: [],
        counted_until: 7,
        as_of: { table_versions: { 'silver.events': 2 }, took_ms: 1 },
      }
    },
    refresh: async () => {
      refreshCount += 1
    },
    onFault: (error) => {
      throw error
    },
  })
  shop = await openShop({ experiments })
})
afterEach(async () => {
  await shop.app.close()
  await parts.close()
})

const BODY = {
  name: 'newer model',
  variants: [{ name: 'control' }, { name: 'new', model_version: 1 }],
  guardrails: [{ metric: 'conversion', max_loss: 0.5 }],
}
const send = (method: 'GET' | 'POST' | 'DELETE', path = '', payload?: object) =>
  shop.app.inject({ method, url: `/experiments${path}`, ...(payload === undefined ? {} : { payload }) })

test('an experiment from its making to its end', async () => {
  const made = await send('POST', '', BODY)
  expect(made.statusCode).toBe(201)
  const { id } = made.json()
  expect((await send('GET', `/${id}`)).json()).toMatchObject({ id, status: 'draft', results: null })
  expect((await send('POST', `/${id}/start`)).json()).toMatchObject({ status: 'running' })
  expectProblem(await send('DELETE', `/${id}`), 409, 'EXPERIMENT_CONFLICT')
  const shown = (await send('GET', `/${id}`)).json()
  expect(shown.results).toMatchObject({
    verdict: { kind: 'better', variant: 'new' },
    sample_ratio: { is_mismatch: false },
    counted_until: 7,
    comparisons: [
      { variant: 'new', verdict: 'better', guardrails: [{ metric: 'conversion', state: 'held' }] },
    ],
  })
  expect(shown.results.comparisons[0].primary.lift).toBeCloseTo(1)
  expect(shown.results.variants[1]).toMatchObject({ name: 'new', units: 5_000, fell_back: 3 })
  expect((await send('POST', `/${id}/stop`)).json()).toMatchObject({
    status: 'stopped',
    stop_reason: 'Stopped by hand.',
    verdict: { kind: 'better' },
  })
  expect(refreshCount).toBe(2)
  expect((await send('GET')).json().experiments).toHaveLength(1)
  expect((await send('DELETE', `/${id}`)).json()).toMatchObject({ id })
  expect((await send('GET')).json()).toEqual({ experiments: [] })
  expectProblem(await send('GET', `/${id}`), 404, 'EXPERIMENT_UNKNOWN')
})

test.each([
  [{}, ''],
  [{ ...BODY, name: ' ' }, '/name'],
  [{ ...BODY, traffic: 0 }, '/traffic'],
  [{ ...BODY, traffic: '1' }, '/traffic'],
  [{ ...BODY, surprise: 1 }, ''],
  [{ ...BODY, scenarios: ['no spaces'] }, '/scenarios/0'],
  [
    { ...BODY, variants: [{ name: 'control' }, { name: 'new', model_version: 77 }] },
    '/variants/1/model_version',
  ],
])('a body that is wrong is 400, and says where: %j', async (body, pointer) => {
  const { errors } = expectProblem(await send('POST', '', body), 400, 'REQUEST_INVALID')
  expect(errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer)
})
