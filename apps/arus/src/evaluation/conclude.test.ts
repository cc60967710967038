import { expect, test } from 'vitest'
import { conclude } from './conclude.ts'
import type { MeasuredModel } from './measured-model.ts'

/** A model whose users have these values, shifted and jittered. */
function measured(name: string, shift: number, jitter = 0): MeasuredModel {
  const values = Float64Array.from({ length: 50 }, (_, n) => (n % 5) / 10 + shift + ((n * 7) % 3) * jitter)
  const value = values.reduce((sum, one) => sum + one, 0) / values.length
  return {
    name,
    options: {},
    metrics: { 'ndcg@10': { value, low: value - 0.05, high: value + 0.05 } },
    scores: { values },
    userCount: 50,
    fitCpuSeconds: 1,
    answersCpuSeconds: 1,
  }
}

test('takes the best, and says which others are no more than chance away', () => {
  const models = [
    measured('popular', 0, 0.01),
    measured('walk', 0.3),
    measured('als', 0.3001, 0.001),
    measured('production', 0.1, 0.01),
  ]
  const { chosen, reason, models: ranked } = conclude(models, { metric: 'ndcg@10' })
  expect(chosen).toBe('als')
  expect(ranked.map(({ model }) => model)).toEqual(['als', 'walk', 'production', 'popular'])
  expect(ranked[0]!.against_best).toBeNull()
  expect(ranked[3]!.against_best!.value).toBeCloseTo(-0.2911, 2)
  expect(ranked[3]!.against_best!.p).toBeLessThan(0.001)
  expect(ranked[2]!.against_production).toBeNull()
  expect(ranked[0]!.against_production!.value).toBeGreaterThan(0.15)
  expect(reason).toMatch(/^als has ndcg@10 0\.50\d\d \(95 % 0\.45\d\d to 0\.55\d\d\), the highest; /)
  expect(reason).toMatch(/\+0\.19\d\d \(95 % .* p < 0\.001\) against the model in production$/)
})

test('a difference that chance would make is told as one', () => {
  const noisy = measured('walk', 0)
  for (const n of noisy.scores.values.keys()) noisy.scores.values[n]! += n % 2 ? 0.2 : -0.199
  const { reason } = conclude([measured('popular', 0), noisy], {
    metric: 'ndcg@10',
    withoutProduction: 'no model is in production',
  })
  expect(reason).toMatch(/no more than chance from walk \(\+0\.0005, p = 0\.\d+\); no model is in production/)
})

test('what was chosen on other data is kept, whatever the test data say', () => {
  const { chosen, reason } = conclude([measured('vstan', 0), measured('popular', 0.1, 0.01)], {
    metric: 'ndcg@10',
    chosen: { model: 'vstan', how: 'chosen on validation data' },
  })
  expect(chosen).toBe('vstan')
  expect(reason).toMatch(
    /^chosen on validation data; on the test data vstan has .*, below popular; it differs significantly/,
  )
})

test('a model alone is compared with nothing', () => {
  expect(conclude([measured('popular', 0)], { metric: 'ndcg@10' }).reason).toContain(
    'nothing else was measured',
  )
})
