import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Calibration,
  cosineDistance,
  evaluate,
  fitPopular,
  giniOf,
  groupDistance,
  intraListDiversity,
} from '../src/index.ts'
import { from, user } from './matrices.ts'

const groups = { groupCount: 3, groups: Int32Array.of(0, 0, 1, 1, 2, -1) }

describe('diversity', () => {
  test('by group it is the share of pairs across groups; items of no known group count in none', () => {
    const distance = groupDistance(groups)
    expect(intraListDiversity(Uint32Array.of(0, 1, 2), distance)).toBeCloseTo(2 / 3)
    expect(intraListDiversity(Uint32Array.of(0, 2, 4, 5), distance)).toBe(1)
    expect(intraListDiversity(Uint32Array.of(0, 5), distance)).toBeNaN()
    expect(intraListDiversity(Uint32Array.of(0), distance)).toBeNaN()
  })

  test('by vectors it is one minus the cosine', () => {
    const distance = cosineDistance(Float32Array.of(1, 0, 0, 2, 3, 3, 0, 0), 2)
    expect(intraListDiversity(Uint32Array.of(0, 1), distance)).toBe(1)
    expect(intraListDiversity(Uint32Array.of(0, 1, 2), distance)).toBeCloseTo(
      (1 + 2 * (1 - Math.SQRT1_2)) / 3,
    )
    expect(intraListDiversity(Uint32Array.of(0, 3), distance)).toBeNaN()
  })
})

describe('calibration', () => {
  const calibration = new Calibration(groups)

  test('is 0 where the list has the shares of the past, and by hand where it lacks a group', () => {
    const past = { items: Uint32Array.of(0, 2), weights: Float32Array.of(3, 1) }
    expect(calibration.divergenceOf(past, Uint32Array.of(0, 1, 0, 2))).toBeCloseTo(0, 12)
    const oneSided = 0.75 * Math.log(0.75 / (0.99 + 0.01 * 0.75)) + 0.25 * Math.log(1 / 0.01)
    expect(calibration.divergenceOf(past, Uint32Array.of(0, 1))).toBeCloseTo(oneSided, 12)
    expect(calibration.divergenceOf(past, Uint32Array.of(4))).toBeCloseTo(Math.log(100), 12)
    expect(calibration.divergenceOf(past, Uint32Array.of(5))).toBeNaN()
  })

  test('is never negative, and never above ln 100', () => {
    const items = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(items, items, (past, list) => {
        const divergence = calibration.divergenceOf(user(...past), Uint32Array.from(list))
        expect(divergence).toBeGreaterThanOrEqual(-1e-12)
        expect(divergence).toBeLessThanOrEqual(Math.log(100) + 1e-12)
      }),
    )
  })
})

describe('popularity', () => {
  test('Gini: 0 where all are shown alike, 1 where one is shown alone', () => {
    expect(giniOf(Float64Array.of(3, 3, 3))).toBe(0)
    expect(giniOf(Float64Array.of(0, 9, 0, 0))).toBeCloseTo(1)
    expect(giniOf(Float64Array.of(1, 2, 3))).toBeCloseTo((-2 * 1 + 2 * 3) / (2 * 6))
    expect(giniOf(Float64Array.of(5))).toBe(0)
  })

  test('all metrics of a list by hand', () => {
    // Of five users item 0 has four, item 1 two, items 2 to 4 one each; user 4 had item 1 and wants item 4.
    const pairs = [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [0, 1],
      [4, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ] as const
    const train = from(pairs)
    const test = { ...train, ...from([[4, 4]]), userCount: 5, itemCount: 5 }
    const evaluation = evaluate(fitPopular(train), { train, test }, 2, {
      groups: { groupCount: 2, groups: Int32Array.of(0, 0, 1, 1, 1) },
    })
    // The list is items 0 and 2.
    expect(evaluation.metrics).toMatchObject({
      'recall@2': 0,
      'average_popularity@2': 2.5,
      'long_tail_share@2': 0.5,
      'popularity@2': 2.5,
      'coverage@2': 2 / 5,
      'gini@2': (2 + 4) / (4 * 2),
      'diversity@2': 1,
    })
    expect(evaluation.metrics['miscalibration@2']).toBeCloseTo(-Math.log(0.99 * 0.5 + 0.01))
    expect(Object.keys(evaluation.intervals)).not.toContain('coverage@2')
    expect(evaluation.byUser['average_popularity@2']).toEqual(Float64Array.of(2.5))
  })
})
