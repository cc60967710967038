import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareWith,
  holm,
  meanWithInterval,
  pairedDifference,
  ratioWithInterval,
  studentQuantile,
  studentTwoSided,
} from '../src/index.ts'
import { seededNormal, seededRandom } from '../src/seeded-random.ts'

describe('Student’s t', () => {
  test('has the values of the printed tables', () => {
    for (const [degrees, t] of [
      [1, 12.7062],
      [2, 4.30265],
      [10, 2.22814],
      [30, 2.04227],
      [1_000, 1.96234],
    ] as const) {
      expect(studentTwoSided(t, degrees)).toBeCloseTo(0.05, 5)
      expect(studentQuantile(0.05, degrees)).toBeCloseTo(t, 4)
    }
    expect(studentTwoSided(0, 5)).toBe(1)
    // Closed forms: Cauchy, and two degrees of freedom.
    expect(studentTwoSided(3, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(3), 12)
    expect(studentTwoSided(3, 2)).toBeCloseTo(1 - 3 / Math.sqrt(11), 12)
  })
})

describe('paired differences', () => {
  test('Student’s own example: ten patients, two drugs', () => {
    const first = Float64Array.of(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2)
    const second = Float64Array.of(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    const { mean, low, high, p } = pairedDifference(first, second)
    expect(mean).toBeCloseTo(-1.58)
    expect(low).toBeCloseTo(-2.4599, 4)
    expect(high).toBeCloseTo(-0.7001, 4)
    expect(p).toBeCloseTo(0.002833, 6)
  })

  test('where there is no difference, five in a hundred are called significant', () => {
    const normal = seededNormal(7)
    let found = 0
    for (let run = 0; run < 2_000; run++) {
      const values = Float64Array.from({ length: 12 }, normal)
      if (pairedDifference(values, new Float64Array(12)).p < 0.05) found += 1
    }
    expect(found / 2_000).toBeGreaterThan(0.035)
    expect(found / 2_000).toBeLessThan(0.065)
  })

  test('predictions of one unit are not taken for independent', () => {
    const random = seededRandom(3)
    const units = Float64Array.from({ length: 50 }, () => (random() < 0.5 ? 0 : 1))
    const single = pairedDifference(units, new Float64Array(50))
    const tenfold = pairedDifference(
      units.map((one) => 10 * one),
      new Float64Array(50),
      new Float64Array(50).fill(10),
    )
    expect(tenfold.mean).toBeCloseTo(single.mean, 12)
    expect(tenfold.low).toBeCloseTo(single.low, 12)
    expect(tenfold.p).toBeCloseTo(single.p, 12)
  })

  test('values that are not there are left out; of one value nothing is known', () => {
    expect(meanWithInterval(Float64Array.of(1, Number.NaN, 3)).mean).toBe(2)
    expect(meanWithInterval(Float64Array.of(1)).high).toBe(Number.POSITIVE_INFINITY)
    expect(meanWithInterval(new Float64Array())).toEqual({ mean: 0, low: 0, high: 0 })
  })

  test('intervals of a ratio hold it nineteen times of twenty', () => {
    const random = seededRandom(11)
    let held = 0
    for (let run = 0; run < 1_000; run++) {
      const below = Float64Array.from({ length: 80 }, () => 1 + random())
      const above = below.map((value) => value * 0.5 + random() - 0.5)
      const { low, high } = ratioWithInterval(above, below)
      if (low <= 0.5 && high >= 0.5) held += 1
    }
    expect(held / 1_000).toBeGreaterThan(0.93)
    expect(held / 1_000).toBeLessThan(0.97)
  })
})

describe('many models', () => {
  test('Holm by hand', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005])
    for (const [n, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[n]).toBeCloseTo(p, 12)
    expect(holm([])).toEqual([])
  })

  test('Holm lowers no p-value, exceeds no Bonferroni, and keeps their order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (pValues) => {
        const adjusted = holm(pValues)
        for (const [n, p] of pValues.entries()) {
          expect(adjusted[n]).toBeGreaterThanOrEqual(p)
          expect(adjusted[n]).toBeLessThanOrEqual(Math.min(1, p * pValues.length))
          for (const [m, other] of pValues.entries())
            if (p < other) expect(adjusted[n]).toBeLessThanOrEqual(adjusted[m]!)
        }
      }),
    )
  })

  test('each is compared with the reference over the same users', () => {
    const scores = (shift: number) => ({
      values: Float64Array.from({ length: 40 }, (_, n) => ((n * 7) % 11) / 11 + shift + (n % 2) * 0.01),
    })
    const models = new Map([
      ['best', scores(0.1)],
      ['same', scores(0.1)],
      ['worse', { values: scores(0).values.map((value, n) => value + (n % 3) * 0.01) }],
    ])
    const found = compareWith(models, 'best')
    expect([...found.keys()]).toEqual(['same', 'worse'])
    expect(found.get('same')).toMatchObject({ mean: 0, pAdjusted: 1 })
    expect(found.get('worse')!.mean).toBeCloseTo(-0.09, 2)
    expect(found.get('worse')!.pAdjusted).toBeLessThan(1e-6)
    expect(compareWith(models, 'unknown').size).toBe(0)
  })
})
