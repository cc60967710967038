import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Experiment } from './experiment.ts'
import { ExperimentWatch } from './experiment-watch.ts'
import { createExperiments, type Experiments } from './experiments.ts'
import type { Judgement } from './judge.ts'
import { type NewExperiment, newExperiment } from './new-experiment.ts'
import type { ExperimentResults } from './results.ts'
import { RunningExperiments } from './running-experiments.ts'
import { openTestExperiments, registerModel } from './test-experiments.ts'
import { VariantModels } from './variant-models.ts'

let clockMs: number
let shop: Awaited<ReturnType<typeof openTestExperiments>>
let running: RunningExperiments
let experiments: Experiments
let faults: unknown[]
let results: ExperimentResults
beforeEach(async () => {
  clockMs = 1_000_000
  faults = []
  shop = await openTestExperiments(() => clockMs++)
  results = resultsOf('undecided')
  running = await openRunning()
  experiments = createExperiments({
    store: shop.store,
    registry: shop.registry,
    resultsOf: async () => results,
    refresh: () => running.refresh(),
    onFault: (error) => faults.push(error),
  })
  await registerModel(shop.registry, { a: ['b', 'c'] })
  await registerModel(shop.registry, { a: ['c', 'b'] })
})
afterEach(async () => {
  await running.close()
  await shop.close()
})

const openRunning = () =>
  RunningExperiments.open({
    store: shop.store,
    models: new VariantModels({
      registry: shop.registry,
      now: () => clockMs,
      onFault: (error) => faults.push(error),
    }),
    onFault: (error) => faults.push(error),
  })

function resultsOf(verdict: 'undecided' | 'worse'): ExperimentResults {
  const comparison = { variant: 'new', verdict, reasons: [`new is ${verdict}.`], primary: {}, guardrails: [] }
  const judgement = {
    comparisons: [comparison],
    verdict: { kind: verdict, variant: null, reasons: comparison.reasons },
  }
  return {
    judgement: judgement as unknown as Judgement,
    variants: [],
    shadows: [],
    counted_until: null,
    as_of: { table_versions: {}, took_ms: 0 },
  }
}

const asked = (changes: Partial<NewExperiment> = {}): NewExperiment => ({
  name: 'newer model',
  variants: [{ name: 'control' }, { name: 'new', model_version: 2 }],
  ...changes,
})
const started = async (changes: Partial<NewExperiment> = {}) =>
  experiments.start((await experiments.create(asked(changes))).id)
const conflict = (message: string) => ({
  code: 'EXPERIMENT_CONFLICT',
  message: expect.stringContaining(message),
})
/** A user of the variant. */
const userOf = (variant: string, from: RunningExperiments = running) =>
  Array.from({ length: 100 }, (_, i) => `u${i}`).find(
    (user) => from.treatment(user, 'home')?.marks[0]?.variant === variant,
  )!

describe('an experiment', () => {
  test('is a draft, runs, is stopped, and is kept as it was decided', async () => {
    const draft = await experiments.create(asked({ scenarios: ['home', 'home'], traffic: 0.5 }))
    expect(draft).toMatchObject({ status: 'draft', scenarios: ['home'], traffic: 0.5, alpha: 0.05 })
    expect(draft.id).toMatch(/^exp_[0-9a-f]{12}$/)
    expect(running.treatment('u1', 'home')).toBeNull()
    const { started_at } = await experiments.start(draft.id)
    expect(started_at).toBeGreaterThan(draft.created_at)
    const stopped = await experiments.stop(draft.id, 'Stopped by hand.')
    expect(stopped).toMatchObject({
      status: 'stopped',
      stop_reason: 'Stopped by hand.',
      verdict: { kind: 'undecided', variant: null },
    })
    expect(await experiments.list()).toEqual([stopped])
    expect(await experiments.remove(draft.id)).toEqual(stopped)
    expect(await experiments.list()).toEqual([])
  })

  test('treats shoppers from the moment it is started until it is stopped', async () => {
    const { id } = await started()
    const [control, treated] = [userOf('control'), userOf('new')]
    expect(running.treatment(control, 'home')).toEqual({
      marks: [{ id, variant: 'control', fell_back: null }],
      model: null,
    })
    const treatment = running.treatment(treated, 'home')
    expect(treatment?.marks).toEqual([{ id, variant: 'new', fell_back: null }])
    expect(treatment?.model?.version).toBe(2)
    expect(treatment?.model?.recommend([{ product_id: 'a', weight: 1 }], 1)[0]?.product_id).toBe('c')
    await experiments.stop(id, '')
    expect(running.treatment(treated, 'home')).toBeNull()
  })

  test('in another process has the same shoppers, and so after a restart', async () => {
    await started()
    const other = await openRunning()
    for (let i = 0; i < 200; i++)
      expect(other.treatment(`u${i}`, 'home')?.marks).toEqual(running.treatment(`u${i}`, 'home')?.marks)
    await other.close()
  })

  test('that another process started or stopped is seen when it looks again', async () => {
    const other = await openRunning()
    const { id } = await started()
    expect(other.treatment('u1', 'home')).toBeNull()
    await other.refresh()
    expect(other.treatment('u1', 'home')).not.toBeNull()
    await experiments.stop(id, '')
    await other.refresh()
    expect(other.treatment('u1', 'home')).toBeNull()
    await other.close()
  })

  test('goes on with what it knows while the database is away, and says so', async () => {
    await started()
    const user = userOf('new')
    await shop.database.destroy()
    await expect(running.refresh()).rejects.toThrow()
    expect(running.treatment(user, 'home')?.model?.version).toBe(2)
  })

  test('holds for its scenarios only', async () => {
    await started({ scenarios: ['home'] })
    expect(running.treatment('u1', 'home')).not.toBeNull()
    expect(running.treatment('u1', 'cart')).toBeNull()
  })
})

describe('what stands in the way is said', () => {
  test.each<[string, Partial<NewExperiment>, string]>([
    ['one variant', { variants: [{ name: 'a' }] }, '/variants'],
    ['variants that are the same', { variants: [{ name: 'a' }, { name: 'b' }] }, '/variants'],
    ['a name twice', { variants: [{ name: 'a' }, { name: 'a', model_version: 2 }] }, '/variants/1/name'],
    ['a shadow of production', { mode: 'shadow', variants: [{ name: 'a' }] }, '/variants'],
    [
      'two shadows in one',
      {
        mode: 'shadow',
        variants: [
          { name: 'a', model_version: 1 },
          { name: 'b', model_version: 2 },
        ],
      },
      '/variants',
    ],
    [
      'a guardrail that is the metric',
      { guardrails: [{ metric: 'click_through', max_loss: 0 }] },
      '/guardrails/0/metric',
    ],
    [
      'a guardrail twice',
      {
        guardrails: [
          { metric: 'revenue', max_loss: 0 },
          { metric: 'revenue', max_loss: 1 },
        ],
      },
      '/guardrails/1/metric',
    ],
    [
      'a version that is not there',
      { variants: [{ name: 'a' }, { name: 'b', model_version: 99 }] },
      '/variants/1/model_version',
    ],
  ])('%s', async (_, changes, pointer) => {
    await expect(experiments.create(asked(changes))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      details: { errors: [expect.objectContaining({ pointer })] },
    })
  })

  test('an experiment that is unknown, or in another state', async () => {
    await expect(experiments.start('exp_0')).rejects.toMatchObject({ code: 'EXPERIMENT_UNKNOWN' })
    const { id } = await started()
    await expect(experiments.start(id)).rejects.toMatchObject(conflict('is running, not draft'))
    await expect(experiments.remove(id)).rejects.toMatchObject(conflict('stop it before'))
    await experiments.stop(id, '')
    await expect(experiments.stop(id, '')).rejects.toMatchObject(conflict('is stopped, not running'))
    await expect(experiments.start(id)).rejects.toMatchObject(conflict('is stopped, not draft'))
  })

  test('two tests that would choose the model of one answer; other scenarios and shadows are no matter', async () => {
    const { id } = await started({ scenarios: ['home', 'cart'] })
    await expect(started({ scenarios: ['home'] })).rejects.toMatchObject(conflict(`Experiment ${id}`))
    await expect(started()).rejects.toMatchObject(conflict(`Experiment ${id}`))
    await started({ scenarios: ['search'] })
    await started({ mode: 'shadow', variants: [{ name: 'next', model_version: 1 }] })
  })

  test('more model versions than may be held', async () => {
    for (let version = 3; version <= 6; version++) await registerModel(shop.registry, { a: ['b'] })
    const shadow = (version: number) =>
      started({ mode: 'shadow', variants: [{ name: 'next', model_version: version }] })
    for (const version of [1, 2, 3, 4, 4]) await shadow(version)
    await expect(shadow(5)).rejects.toMatchObject(conflict('with this one it were 5'))
  })

  test('a verdict that cannot be had does not keep it running', async () => {
    const { id } = await started()
    results = null as never
    expect(await experiments.stop(id, '')).toMatchObject({ status: 'stopped', verdict: null })
  })
})

describe('a variant whose model cannot answer is answered by production, and says why', () => {
  test('the file is gone; once it can be had it answers', async () => {
    rmSync(shop.modelsFolder, { recursive: true })
    const { id } = await started()
    const user = userOf('new')
    expect(running.treatment(user, 'home')).toEqual({
      marks: [{ id, variant: 'new', fell_back: expect.stringContaining('version 2 is gone') }],
      model: null,
    })
    expect(faults).toHaveLength(1)
    await running.refresh()
    expect(faults).toHaveLength(1)
    await registerModel(shop.registry, { a: ['c', 'b'] })
    clockMs += 60_000
    await running.refresh()
    expect(running.treatment(user, 'home')?.model?.version).toBe(2)
  })

  test('a shopper was erased whom its training data may hold: it is let go', async () => {
    const { version } = await registerModel(shop.registry, { a: ['c'] }, 5_000)
    const variants = [{ name: 'control' }, { name: 'new', model_version: version }]
    const { id } = await started({ variants })
    const user = userOf('new')
    expect(running.treatment(user, 'home')?.model?.version).toBe(version)
    const request = await shop.erasures.request('ani')
    await shop.erasures.keep(request, { shopper: 'ani', names: null, removed: {}, remains: [] }, 4_000)
    await running.refresh()
    expect(running.treatment(user, 'home')).toEqual({
      marks: [{ id, variant: 'new', fell_back: expect.stringContaining('outdated') }],
      model: null,
    })
    await expect(started({ variants, scenarios: ['x'] })).rejects.toMatchObject(conflict('outdated'))
  })
})

describe('a shadow', () => {
  test('treats nobody, and is there for the share of answers that was asked for', async () => {
    await started({ mode: 'shadow', traffic: 0.2, variants: [{ name: 'next', model_version: 2 }] })
    expect(running.treatment('u1', 'home')).toBeNull()
    const sampled = Array.from({ length: 5_000 }, (_, i) => running.shadowsOf(`answer ${i}`, 'home').length)
    const count = sampled.reduce((sum, n) => sum + n, 0)
    expect(Math.abs(count - 1_000)).toBeLessThan(4 * Math.sqrt(5_000 * 0.2 * 0.8))
  })
})

describe('watched', () => {
  const watch = (told: Experiment[]) =>
    new ExperimentWatch({
      store: shop.store,
      resultsOf: async () => results,
      onStop: async (experiment) => void told.push(experiment),
      onFault: (error) => faults.push(error),
    })

  test('one that may stop by itself does so when a variant is worse, with the reason; no other does', async () => {
    const told: Experiment[] = []
    const { id } = await started({ auto_stop: true, scenarios: ['a'] })
    await started({ scenarios: ['b'] })
    await watch(told).check()
    expect(told).toEqual([])
    results = resultsOf('worse')
    await watch(told).check()
    expect(told).toEqual([
      expect.objectContaining({
        id,
        status: 'stopped',
        stop_reason: 'Stopped by itself: new is worse.',
        verdict: { kind: 'worse', variant: null, reasons: ['new is worse.'] },
      }),
    ])
    expect((await experiments.list()).filter(({ status }) => status === 'running')).toHaveLength(1)
  })

  test('one whose results cannot be had goes on, and this is told', async () => {
    await started({ auto_stop: true })
    results = null as never
    await watch([]).check()
    expect(faults).toHaveLength(1)
    expect((await experiments.list())[0]?.status).toBe('running')
  })
})

test('the plan of an experiment is complete', () => {
  expect(newExperiment(asked())).toEqual({
    name: 'newer model',
    mode: 'ab',
    scenarios: [],
    traffic: 1,
    variants: [
      { name: 'control', share: 1, model_version: null },
      { name: 'new', share: 1, model_version: 2 },
    ],
    primary_metric: 'click_through',
    guardrails: [],
    alpha: 0.05,
    minimum_effect: 0.05,
    exposure: 'answered',
    window_minutes: 1_440,
    planned_units: 10_000,
    auto_stop: false,
  })
})
