import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../analytics/period.ts'
import type { SilverEvent } from '../analytics/plain-figures.ts'
import {
  openSilver,
  rounded,
  type Silver,
  START,
  type StoredAnswer,
  silverEvent,
} from '../analytics/test-silver.ts'
import { assign } from './assignment.ts'
import { EXPOSURES, type Experiment, type Exposure, METRICS, type Metric } from './experiment.ts'
import { newExperiment } from './new-experiment.ts'
import { experimentResults } from './results.ts'
import type { Moments } from './sequential-test.ts'

const WINDOW_MS = 2 * HOUR_MS
const END_MS = START + 24 * HOUR_MS

let silver: Silver
beforeAll(async () => {
  silver = await openSilver()
})
afterAll(() => silver.close())

const experiment: Experiment = {
  ...newExperiment({
    name: 'test',
    variants: [{ name: 'control' }, { name: 'new', model_version: 2 }],
    window_minutes: WINDOW_MS / MINUTE_MS,
  }),
  id: 'exp_1',
  status: 'running',
  created_at: START,
  started_at: START,
  stopped_at: null,
  stop_reason: null,
  verdict: null,
}

/** The same counts in plain loops. */
function plainMoments(
  answers: readonly StoredAnswer[],
  events: readonly SilverEvent[],
  nowMs: number,
  exposure: Exposure,
): Record<string, { units: number; answers: number; metrics: Record<Metric, Moments> }> {
  const given = answers.filter(
    ({ generated_at, experiments }) =>
      generated_at >= START && generated_at < nowMs && experiments?.some(({ id }) => id === experiment.id),
  )
  const cut = Math.min(nowMs, Math.max(...events.map(({ ts }) => ts))) - WINDOW_MS
  const units = new Map<string, StoredAnswer[]>()
  for (const answer of given) {
    const unit = answer.user_id === undefined ? `s ${answer.session_id}` : `u ${answer.user_id}`
    units.set(unit, [...(units.get(unit) ?? []), answer])
  }
  const variants: Record<string, { units: number; answers: number; rows: Record<Metric, number | null>[] }> =
    {}
  for (const [unit, own] of units) {
    const name = own[0]!.experiments!.find(({ id }) => id === experiment.id)!.variant
    const ids = new Set(own.map(({ recommendation_id }) => recommendation_id))
    variants[name] ??= { units: 0, answers: 0, rows: [] }
    variants[name].answers += own.length
    const views = events.filter(
      ({ action, recommendation_id, ts }) =>
        action === 'recommendation_viewed' &&
        recommendation_id !== null &&
        ids.has(recommendation_id) &&
        ts < nowMs,
    )
    if (exposure === 'viewed' && views.length === 0) continue
    variants[name].units += 1
    const first = Math.min(
      ...(exposure === 'viewed' ? views.map(({ ts }) => ts) : own.map(({ generated_at }) => generated_at)),
    )
    if (first > cut) continue
    const inWindow = events.filter(({ ts }) => ts < first + WINDOW_MS)
    const isOwn = (event: SilverEvent) => unit === `u ${event.shopper}` || unit === `s ${event.session}`
    const purchases = inWindow.filter(
      (event) => event.action === 'purchase' && event.ts >= first && isOwn(event),
    )
    const answered = own.filter(({ generated_at }) => generated_at < first + WINDOW_MS)
    // Nothing where a clock that was wrong puts every answer after the window.
    const mean = (values: readonly number[]) =>
      values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
    variants[name].rows.push({
      click_through: Number(
        inWindow.some(
          ({ action, recommendation_id }) =>
            ['click', 'recommendation_clicked'].includes(action) &&
            recommendation_id !== null &&
            ids.has(recommendation_id),
        ),
      ),
      conversion: Number(purchases.length > 0),
      revenue: purchases.reduce((sum, { price, quantity }) => sum + (price ?? 0) * (quantity ?? 1), 0),
      latency: mean(answered.map(({ took_ms }) => took_ms ?? 0)),
      fallback_rate: mean(answered.map(({ fallback }) => Number((fallback ?? null) !== null))),
    })
  }
  return Object.fromEntries(
    Object.entries(variants).map(([name, { rows, ...counts }]) => {
      const momentsOf = (metric: Metric): Moments => {
        const values = rows.map((row) => row[metric]).filter((value) => value !== null)
        const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
        return { count: values.length, mean, variance: values.length < 2 ? 0 : squares / (values.length - 1) }
      }
      const metrics = Object.fromEntries(METRICS.map((metric) => [metric, momentsOf(metric)]))
      return [name, { ...counts, metrics: metrics as Record<Metric, Moments> }]
    }),
  )
}

const SHOPPERS = ['ani', 'budi', 'cici', 'dedi', 'eka', 'fani'] as const
const momentArbitrary = fc
  .integer({ min: -4, max: 24 * 4 })
  .map((quarter) => START + quarter * 15 * MINUTE_MS)
const answersArbitrary = fc
  .array(
    fc.record({
      shopper: fc.constantFrom(...SHOPPERS),
      isSession: fc.boolean(),
      isOther: fc.boolean(),
      generated_at: momentArbitrary,
      took_ms: fc.integer({ min: 1, max: 50 }),
      fallback: fc.constantFrom(null, 'trending'),
    }),
    { maxLength: 40 },
  )
  .map((drawn) =>
    drawn.map(({ shopper, isSession, isOther, ...fields }, i): StoredAnswer => {
      const unit = isSession ? `${shopper} session` : shopper
      const marks = [{ id: 'exp_1', variant: assign(experiment, unit)!.name, fell_back: null }]
      const other = { id: 'exp_2', variant: 'x', fell_back: null }
      return {
        ...fields,
        recommendation_id: `r${i}`,
        scenario: 'home',
        model: 'walk',
        version: 1,
        products: ['P0', 'P1'],
        ...(isSession ? { session_id: unit } : { user_id: unit, session_id: `${shopper} elsewhere` }),
        experiments: isOther ? [other, ...marks] : marks,
      }
    }),
  )
const eventsArbitrary = fc
  .array(
    fc.record({
      shopper: fc.constantFrom(...SHOPPERS),
      action: fc.constantFrom('view', 'click', 'recommendation_clicked', 'recommendation_viewed', 'purchase'),
      ts: momentArbitrary,
      answer: fc.option(fc.integer({ min: 0, max: 40 })),
      price: fc.option(fc.integer({ min: 1, max: 100 })),
      quantity: fc.option(fc.integer({ min: 1, max: 3 })),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((drawn) =>
    drawn.map(({ answer, ...fields }, i) =>
      silverEvent(
        {
          ...fields,
          session: `${fields.shopper} session`,
          recommendation_id: answer === null ? null : `r${answer}`,
        },
        i,
      ),
    ),
  )

const questionArbitrary = fc.record({
  answers: answersArbitrary,
  events: eventsArbitrary,
  nowMs: momentArbitrary,
  exposure: fc.constantFrom(...EXPOSURES),
})

test('the figures of each variant are those of plain loops, one row per shopper', async () => {
  await fc.assert(
    fc.asyncProperty(questionArbitrary, async ({ answers, events, nowMs, exposure }) => {
      await silver.storeAnswers(answers)
      await silver.store(events)
      const { variants } = await experimentResults(silver.engine, { ...experiment, exposure }, nowMs)
      const plain = plainMoments(answers, events, nowMs, exposure)
      for (const { name, units, answers: count, metrics } of variants) {
        const expected = plain[name]
        expect([name, units, count]).toEqual([name, expected?.units ?? 0, expected?.answers ?? 0])
        if (expected !== undefined) expect(rounded(metrics)).toEqual(rounded(expected.metrics))
      }
    }),
    { numRuns: 40 },
  )
})

describe('a shopper', () => {
  const answer = (fields: Partial<StoredAnswer> = {}): StoredAnswer => ({
    recommendation_id: 'r1',
    scenario: 'home',
    model: 'walk',
    version: 1,
    generated_at: START,
    products: ['P0'],
    user_id: 'ani',
    took_ms: 2,
    experiments: [{ id: 'exp_1', variant: 'new', fell_back: null }],
    ...fields,
  })
  const newest = silverEvent({ shopper: 'nobody', ts: END_MS }, 99)
  const countsAt = async (nowMs: number) =>
    (await experimentResults(silver.engine, experiment, nowMs)).variants.map(({ units, metrics }) => [
      units,
      metrics.conversion.count,
      metrics.conversion.mean,
    ])

  test('counts once the window is over by the lake’s clock, and does not change after', async () => {
    await silver.storeAnswers([answer()])
    const purchase = { action: 'purchase', price: 5, shopper: 'ani' }
    await silver.store([silverEvent({ ...purchase, ts: START + MINUTE_MS })])
    expect(await countsAt(END_MS)).toEqual([
      [0, 0, 0],
      [1, 0, 0],
    ])
    await silver.store([silverEvent({ ...purchase, ts: START + WINDOW_MS }), newest])
    expect((await countsAt(END_MS))[1]).toEqual([1, 1, 0])
    expect((await countsAt(START + WINDOW_MS - 1))[1]).toEqual([1, 0, 0])
  })

  test('whose variant fell back stays in it, and this is counted', async () => {
    await silver.storeAnswers([
      answer({ experiments: [{ id: 'exp_1', variant: 'new', fell_back: 'gone' }] }),
      answer({ recommendation_id: 'r2', experiments: [{ id: 'exp_10', variant: 'new', fell_back: null }] }),
    ])
    await silver.store([newest])
    const { variants } = await experimentResults(silver.engine, experiment, END_MS)
    expect(variants[1]).toMatchObject({ units: 1, answers: 1, fell_back: 1 })
  })

  test('answered after the experiment was stopped is none of it', async () => {
    await silver.storeAnswers([answer({ generated_at: START + HOUR_MS })])
    await silver.store([newest])
    const stopped = { ...experiment, stopped_at: START + HOUR_MS }
    expect((await experimentResults(silver.engine, stopped, END_MS)).variants[1]?.units).toBe(0)
  })
})

test('an experiment of which nothing is known yet is undecided', async () => {
  await silver.storeAnswers([])
  await silver.store([])
  const { judgement, counted_until } = await experimentResults(silver.engine, experiment, END_MS)
  expect([judgement?.verdict.kind, counted_until]).toEqual(['undecided', null])
})

test('a shadow is compared with what was shown, and by what shoppers clicked later', async () => {
  const shadow: Experiment = {
    ...experiment,
    mode: 'shadow',
    variants: [{ name: 'next', share: 1, model_version: 9 }],
  }
  const shadowed = (products: readonly string[], overlap: number, took_ms: number) => [
    {
      id: 'exp_1',
      variant: 'next',
      model_version: 9,
      products,
      fallback: null,
      took_ms,
      overlap,
      rank_agreement: overlap,
    },
  ]
  const base = {
    scenario: 'home',
    model: 'walk',
    version: 1,
    experiments: [],
    products: ['P0', 'P1'],
    took_ms: 1,
  }
  await silver.storeAnswers([
    {
      ...base,
      recommendation_id: 'r1',
      generated_at: START,
      user_id: 'ani',
      shadows: shadowed(['P1', 'P2'], 0.5, 3),
    },
    {
      ...base,
      recommendation_id: 'r2',
      generated_at: START,
      session_id: 's',
      shadows: shadowed(['P0', 'P1'], 1, 5),
    },
    { ...base, recommendation_id: 'r3', generated_at: START, user_id: 'budi' },
  ])
  const click = (fields: Partial<SilverEvent>, i: number) =>
    silverEvent({ action: 'click', session: 'ani session', ts: START + MINUTE_MS, ...fields }, i)
  await silver.store([
    click({ product_id: 'P0', recommendation_id: 'r1' }, 1),
    click({ product_id: 'P2' }, 2),
    click({ product_id: 'P9' }, 3),
    click({ product_id: 'P2', ts: START + WINDOW_MS }, 4),
    click({ product_id: 'P2', shopper: 'budi' }, 5),
    click({ product_id: 'P0', shopper: 'cici', session: 's' }, 6),
  ])
  const { shadows, judgement } = await experimentResults(silver.engine, shadow, END_MS)
  expect(judgement).toBeNull()
  expect(shadows).toEqual([
    {
      variant: 'next',
      answers: 2,
      overlap: 0.75,
      rank_agreement: 0.75,
      answer_ms_p50: 1,
      answer_ms_p99: 1,
      shadow_ms_p50: 4,
      shadow_ms_p99: expect.closeTo(4.98),
      clicks: 4,
      shown_hits: 2,
      shadow_hits: 2,
      elsewhere_clicks: 3,
      elsewhere_shown_hits: 1,
      elsewhere_shadow_hits: 2,
    },
  ])
})
