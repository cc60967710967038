import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SeededRandom, seededRandom } from '../catalogue/seeded-random.ts'
import { METRICS, type Metric } from './experiment.ts'
import { judge, type VariantCounts } from './judge.ts'
import { logGamma, sampleRatio } from './sample-ratio.ts'
import { alwaysValidP, confidenceSequence, contrast, type Moments } from './sequential-test.ts'

const ALPHA = 0.05

const plan = (changes: Partial<Parameters<typeof judge>[0]> = {}): Parameters<typeof judge>[0] => ({
  variants: [
    { name: 'control', share: 1, model_version: null },
    { name: 'new', share: 1, model_version: 2 },
  ],
  primary_metric: 'conversion',
  guardrails: [],
  alpha: ALPHA,
  minimum_effect: 0.1,
  planned_units: 10_000,
  ...changes,
})

/** Of a share of yes and no. */
const binary = (count: number, mean: number): Moments => ({
  count,
  mean,
  variance: (mean * (1 - mean) * count) / (count - 1),
})
const NOTHING: Moments = { count: 0, mean: 0, variance: 0 }
const counted = (name: string, units: number, metrics: Partial<Record<Metric, Moments>>): VariantCounts => ({
  name,
  units,
  metrics: {
    ...(Object.fromEntries(METRICS.map((metric) => [metric, NOTHING])) as Record<Metric, Moments>),
    ...metrics,
  },
})
const conversion = (name: string, units: number, share: number) =>
  counted(name, units, { conversion: binary(units, share) })

/** Welford's running moments (Technometrics 1962). */
class Running {
  count = 0
  mean = 0
  #squares = 0

  add(value: number): void {
    this.count += 1
    const before = value - this.mean
    this.mean += before / this.count
    this.#squares += before * (value - this.mean)
  }

  get moments(): Moments {
    return { count: this.count, mean: this.mean, variance: this.#squares / Math.max(1, this.count - 1) }
  }
}

interface Watched {
  /** The confidence sequence was beside 0 at some look. */
  readonly isTold: boolean
  /** A t-test at 5 % was, at some look. */
  readonly isToldNaively: boolean
}

/** Two arms of shoppers who come in batches, looked at after every batch. */
function watch(
  draw: (random: SeededRandom, isTreated: boolean) => number,
  seed: number,
  batches: number,
): Watched {
  const random = seededRandom(seed)
  const arms = [new Running(), new Running()] as const
  let isTold = false
  let isToldNaively = false
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < 100; i++) {
      const isTreated = random.next() < 0.5
      arms[isTreated ? 1 : 0].add(draw(random, isTreated))
    }
    if (Math.min(arms[0].count, arms[1].count) < 100) continue
    const found = contrast(arms[1].moments, arms[0].moments)
    isTold ||= alwaysValidP(found, { alpha: ALPHA, plannedCount: 10_000 }) <= ALPHA
    isToldNaively ||= Math.abs(found.estimate) > 1.96 * found.standardError
  }
  return { isTold, isToldNaively }
}

const share = (all: readonly boolean[]) => all.filter(Boolean).length / all.length

describe('looked at after every batch of 100 shoppers, up to 20,000', () => {
  test.each([
    ['1 in 50 buys', (random: SeededRandom) => Number(random.next() < 0.02)],
    ['1 in 5 clicks', (random: SeededRandom) => Number(random.next() < 0.2)],
    [
      '3 in 100 spend, and a few of them much',
      (random: SeededRandom) => (random.next() < 0.03 ? Math.exp(random.normal()) * 40 : 0),
    ],
  ])('%s, with no effect: false differences stay within alpha; those of a t-test do not', (_, draw) => {
    const runs = Array.from({ length: 400 }, (_, seed) => watch(draw, seed + 1, 200))
    // Alpha is an upper bound over all time; 400 runs of a true 5 % would exceed 7.7 % once in 100 times.
    expect(share(runs.map(({ isTold }) => isTold))).toBeLessThanOrEqual(0.077)
    expect(share(runs.map(({ isToldNaively }) => isToldNaively))).toBeGreaterThan(0.2)
  })

  test('an effect that is there is found', () => {
    const draw = (random: SeededRandom, isTreated: boolean) =>
      Number(random.next() < (isTreated ? 0.13 : 0.1))
    const runs = Array.from({ length: 100 }, (_, seed) => watch(draw, seed + 1, 200))
    expect(share(runs.map(({ isTold }) => isTold))).toBeGreaterThan(0.95)
  })
})

describe('the confidence sequence', () => {
  test('holds 0 exactly while the p-value is above alpha', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -10, max: 10, noNaN: true }),
        fc.double({ min: 1e-6, max: 10, noNaN: true }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom(0.001, 0.01, 0.05, 0.2),
        (estimate, standardError, count, alpha) => {
          const options = { alpha, plannedCount: 10_000 }
          const found = { estimate, standardError, count }
          const { low, high } = confidenceSequence(found, options)
          const p = alwaysValidP(found, options)
          if (Math.abs(p - alpha) > 1e-9) expect(p > alpha).toBe(low < 0 && high > 0)
        },
      ),
    )
  })

  test('is what the mixture SPRT of Johari et al. does not reject', () => {
    // Λ = √(V / (V + nτ²)) · exp(n²τ²d² / (2V (V + nτ²))) with n shoppers in each arm and V = σ₁² + σ₂².
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000 }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: -0.05, max: 0.05, noNaN: true }),
        (n, rate, d) => {
          const V = 2 * rate * (1 - rate)
          const found = { estimate: d, standardError: Math.sqrt(V / n), count: 2 * n }
          const kappa = 2 * Math.log(1 / ALPHA) + Math.log(1 + 2 * Math.log(1 / ALPHA))
          const tau2 = (kappa * 2 * V) / 10_000
          const lambda =
            Math.sqrt(V / (V + n * tau2)) * Math.exp((n ** 2 * tau2 * d ** 2) / (2 * V * (V + n * tau2)))
          const p = alwaysValidP(found, { alpha: ALPHA, plannedCount: 10_000 })
          expect(p).toBeCloseTo(Math.min(1, 1 / lambda), 9)
        },
      ),
    )
  })

  test('is narrower in standard errors near the planned count than far from it', () => {
    const width = (count: number) =>
      confidenceSequence({ estimate: 0, standardError: 1, count }, { alpha: ALPHA, plannedCount: 10_000 })
        .high
    expect(width(10_000)).toBeLessThan(width(100))
    expect(width(10_000)).toBeLessThan(width(1_000_000))
    expect(width(10_000)).toBeLessThan(3.2)
  })
})

describe('a sample ratio', () => {
  test('log Γ is the logarithm of the factorial, and Γ(1/2) is √π', () => {
    let log = 0
    for (let n = 1; n < 60; n++) {
      expect(logGamma(n)).toBeCloseTo(log, 9)
      log += Math.log(n)
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 9)
  })

  test('as planned is hardly ever called a mismatch, however often it is looked at', () => {
    const runs = Array.from({ length: 500 }, (_, seed) => {
      const random = seededRandom(seed + 1)
      const counts = [0, 0, 0]
      let isTold = false
      for (let look = 0; look < 200; look++) {
        for (let i = 0; i < 100; i++) counts[random.next() < 0.5 ? 0 : random.next() < 0.5 ? 1 : 2]! += 1
        isTold ||= sampleRatio(counts, [2, 1, 1]).is_mismatch
      }
      return isTold
    })
    expect(share(runs)).toBeLessThanOrEqual(0.006)
  })

  test.each([
    ['a variant that loses 1 answer in 10', [9_000, 10_000], true],
    ['48 to 52 of twenty thousand', [9_600, 10_400], true],
    ['chance', [9_950, 10_050], false],
    ['too few to say', [40, 60], false],
    ['nobody', [0, 0], false],
  ])('of %s', (_, counts, isMismatch) => {
    expect(sampleRatio(counts, [1, 1]).is_mismatch).toBe(isMismatch)
  })
})

describe('the verdict', () => {
  const verdictOf = (treated: VariantCounts, changes: Partial<Parameters<typeof judge>[0]> = {}) =>
    judge(plan(changes), [conversion('control', 10_000, 0.1), treated]).verdict

  test('better, worse, undecided, no difference worth having', () => {
    expect(verdictOf(conversion('new', 10_000, 0.12))).toMatchObject({ kind: 'better', variant: 'new' })
    expect(verdictOf(conversion('new', 10_000, 0.08))).toMatchObject({ kind: 'worse', variant: null })
    expect(verdictOf(conversion('new', 10_000, 0.104)).kind).toBe('undecided')
    const many = [conversion('control', 400_000, 0.1), conversion('new', 400_000, 0.1005)]
    expect(judge(plan(), many).verdict.kind).toBe('no_difference')
  })

  test('undecided while a variant has too few shoppers, and with nobody at all', () => {
    expect(
      judge(plan(), [conversion('control', 99, 0.01), conversion('new', 99, 0.9)]).verdict,
    ).toMatchObject({
      kind: 'undecided',
      reasons: [expect.stringContaining('the smaller has 99')],
    })
    expect(judge(plan(), [counted('control', 0, {}), counted('new', 0, {})]).verdict.kind).toBe('undecided')
  })

  test('invalid when answers of a variant go missing, whatever the metric says', () => {
    expect(verdictOf(conversion('new', 8_000, 0.2))).toMatchObject({ kind: 'invalid', variant: null })
  })

  test('a guardrail that breaks makes it worse; one that is not sure yet holds "better" back', () => {
    const guardrails = [{ metric: 'latency', max_loss: 0.1 } as const]
    const took = (mean: number, variance = 1) => ({ latency: { count: 10_000, mean, variance } })
    const judged = (mean: number, variance?: number) =>
      judge(plan({ guardrails }), [
        counted('control', 10_000, { conversion: binary(10_000, 0.1), ...took(5, variance) }),
        counted('new', 10_000, { conversion: binary(10_000, 0.12), ...took(mean, variance) }),
      ])
    expect(judged(5.1).verdict.kind).toBe('better')
    expect(judged(5.1).comparisons[0]?.guardrails[0]).toMatchObject({ state: 'held', max_loss: 0.1 })
    expect(judged(6).verdict).toMatchObject({ kind: 'worse', reasons: ['new breaks the guardrail latency.'] })
    expect(judged(5.1, 1_000).verdict).toMatchObject({
      kind: 'undecided',
      reasons: [expect.stringContaining('guardrail latency is not sure yet')],
    })
  })

  test('a guardrail where no shopper of either variant differs is held', () => {
    const guardrails = [{ metric: 'fallback_rate', max_loss: 0.1 } as const]
    const none = { fallback_rate: { count: 10_000, mean: 0, variance: 0 } }
    const [control, treated] = [0.1, 0.12].map((mean, i) =>
      counted(i === 0 ? 'control' : 'new', 10_000, { conversion: binary(10_000, mean), ...none }),
    )
    expect(judge(plan({ guardrails }), [control!, treated!]).verdict.kind).toBe('better')
    const nobody = [counted('control', 0, {}), counted('new', 0, {})]
    expect(judge(plan({ guardrails }), nobody).comparisons[0]?.guardrails[0]?.state).toBe('undecided')
  })

  test('a guardrail on answers that fell back counts the loss as it is, since there may be none to begin with', () => {
    const guardrails = [{ metric: 'fallback_rate', max_loss: 0.02 } as const]
    const stateAt = (share: number) =>
      judge(plan({ guardrails }), [
        counted('control', 10_000, { conversion: binary(10_000, 0.1), fallback_rate: binary(10_000, 0) }),
        counted('new', 10_000, { conversion: binary(10_000, 0.1), fallback_rate: binary(10_000, share) }),
      ]).comparisons[0]?.guardrails[0]?.state
    expect([0.001, 0.021, 0.04].map(stateAt)).toEqual(['held', 'undecided', 'breached'])
  })

  test('of several variants the best is named, and each is tested more strictly', () => {
    const variants = ['control', 'b', 'c'].map((name) => ({ name, share: 1, model_version: null }))
    const shares = [0.1, 0.115, 0.125]
    const { verdict, comparisons } = judge(
      plan({ variants }),
      variants.map(({ name }, i) => conversion(name, 20_000, shares[i]!)),
    )
    expect(verdict).toMatchObject({ kind: 'better', variant: 'c' })
    const alone = judge(plan(), [conversion('control', 20_000, 0.1), conversion('new', 20_000, 0.115)])
    expect(comparisons[0]!.primary.lift_low!).toBeLessThan(alone.comparisons[0]!.primary.lift_low!)
  })
})
