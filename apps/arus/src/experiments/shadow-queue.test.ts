import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Passport } from '../recommend/passport/passport.ts'
import type { AnswerAgain } from '../recommend/recommender-options.ts'
import { ShopModel } from '../recommend/test-shop.ts'
import { overlap, rankAgreement } from './compare-rankings.ts'
import type { Shadow } from './running-experiments.ts'
import { ShadowQueue } from './shadow-queue.ts'

const shadow: Shadow = { id: 'exp_1', variant: 'next', model: new ShopModel({}, 9) }
const passport = (id: string, scenario = 'home') =>
  ({
    recommendation_id: id,
    scenario,
    result: [{ product_id: 'a' }, { product_id: 'b' }],
  }) as unknown as Passport

function open(queueLimit?: number) {
  const passed: Passport[] = []
  const faults: unknown[] = []
  const queue = new ShadowQueue({
    shadowsOf: (_, scenario) => (scenario === 'home' ? [shadow] : []),
    onPassport: (one) => passed.push(one),
    onFault: (error) => faults.push(error),
    ...(queueLimit === undefined ? {} : { queueLimit }),
  })
  return { queue, passed, faults }
}

const again: AnswerAgain = async () => ({ products: ['b', 'c'], fallback: null, took_ms: 0.5 })

describe('a model in the shadow', () => {
  test('answers after the request, and the passport tells what it would have answered', async () => {
    const { queue, passed } = open()
    queue.take(passport('r1'), again)
    expect(passed).toEqual([])
    expect(queue.waiting('r1')?.recommendation_id).toBe('r1')
    await queue.flush()
    expect(queue.waiting('r1')).toBeUndefined()
    expect(passed[0]?.shadows).toEqual([
      {
        id: 'exp_1',
        variant: 'next',
        model_version: 9,
        products: ['b', 'c'],
        fallback: null,
        took_ms: 0.5,
        overlap: 0.5,
        rank_agreement: 0.333,
      },
    ])
  })

  test('costs an answer without one nothing', () => {
    const { queue, passed } = open()
    queue.take(passport('r1', 'cart'), again)
    expect(passed).toEqual([passport('r1', 'cart')])
  })

  test('is left out when too many answers wait, which is counted; every passport goes on', async () => {
    const { queue, passed } = open(3)
    for (let i = 0; i < 10; i++) queue.take(passport(`r${i}`), again)
    await queue.flush()
    expect(queue.droppedCount).toBe(7)
    expect(passed).toHaveLength(10)
    expect(passed.filter(({ shadows }) => shadows !== undefined)).toHaveLength(3)
    queue.take(passport('later'), again)
    await queue.flush()
    expect(passed.at(-1)?.shadows).toHaveLength(1)
  })

  test('that throws keeps no passport back', async () => {
    const { queue, passed, faults } = open()
    queue.take(passport('r1'), () => Promise.reject(new Error('broken')))
    await queue.flush()
    expect([passed[0]?.shadows, queue.droppedCount, faults.length]).toEqual([[], 1, 1])
  })
})

describe('two rankings', () => {
  const ranking = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 6 })

  /** The footrule of Fagin et al. from its definition, over the products of both. */
  function plainAgreement(one: readonly string[], other: readonly string[]): number {
    const k = Math.max(one.length, other.length)
    const place = (list: readonly string[], id: string) => (list.includes(id) ? list.indexOf(id) + 1 : k + 1)
    const distance = (a: readonly string[], b: readonly string[]) =>
      [...new Set([...a, ...b])].reduce((sum, id) => sum + Math.abs(place(a, id) - place(b, id)), 0)
    const strangers = other.map((id) => id.toUpperCase())
    return k === 0 ? 1 : 1 - distance(one, other) / distance(one, strangers)
  }

  test('agree as the definition says, the same either way round, from 0 to 1', () => {
    fc.assert(
      fc.property(ranking, ranking, (one, other) => {
        const agreement = rankAgreement(one, other)
        expect(agreement).toBeCloseTo(plainAgreement(one, other), 9)
        expect(agreement).toBeCloseTo(rankAgreement(other, one), 9)
        expect(agreement).toBeGreaterThanOrEqual(0)
        expect(agreement).toBeLessThanOrEqual(1)
        expect(rankAgreement(one, one)).toBe(1)
        expect(overlap(one, other)).toBeCloseTo(overlap(other, one), 9)
      }),
    )
  })

  test.each([
    [['a', 'b'], ['a', 'b'], 1, 1],
    [['a', 'b'], ['b', 'a'], 1, 0.6667],
    [['a', 'b'], ['c', 'd'], 0, 0],
    [['a'], [], 0, 0],
    [[], [], 1, 1],
  ])('%j and %j', (one, other, inCommon, agreement) => {
    expect(overlap(one, other)).toBe(inCommon)
    expect(rankAgreement(one, other)).toBeCloseTo(agreement, 4)
  })
})
