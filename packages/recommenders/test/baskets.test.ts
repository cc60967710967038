import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { likelihoodRatio } from '../src/baskets/bought-together.ts'
import {
  type Baskets,
  basketsOf,
  evaluateBaskets,
  evaluateCarts,
  fitBoughtTogether,
  fitNextBasket,
  historiesOf,
  lastBasketSplit,
  loadModel,
  newestBasketsSplit,
  wholeFile,
} from '../src/index.ts'
import { user } from './matrices.ts'

const DAY_MS = 86_400_000

/** Orders one a day, each of a user and of products. */
function orders(...all: readonly (readonly [user: number, ...items: number[]])[]): Baskets {
  const rows = all.flatMap(([who, ...items], order) => items.map((item) => ({ who, item, order })))
  return basketsOf({
    userCount: Math.max(0, ...rows.map(({ who }) => who + 1)),
    itemCount: Math.max(0, ...rows.map(({ item }) => item + 1)),
    users: Uint32Array.from(rows, ({ who }) => who),
    items: Uint32Array.from(rows, ({ item }) => item),
    timesMs: Float64Array.from(rows, ({ order }) => order * DAY_MS),
    orders: Uint32Array.from(rows, ({ order }) => order),
  })
}

describe('baskets', () => {
  const purchases = {
    userCount: 2,
    itemCount: 9,
    users: Uint32Array.of(0, 1, 0, 0, 0),
    items: Uint32Array.of(8, 1, 3, 3, 2),
    timesMs: Float64Array.of(DAY_MS + 5, 7, 1, DAY_MS - 1, DAY_MS + 6),
  }

  test('without orders are all that a user bought on a day, oldest first, each product once', () => {
    const { starts, items, users, timesMs } = basketsOf(purchases)
    expect([...users]).toEqual([0, 1, 0])
    expect([...starts]).toEqual([0, 1, 2, 4])
    expect([...items]).toEqual([3, 1, 2, 8])
    expect([...timesMs]).toEqual([1, 7, DAY_MS + 5])
  })

  test('are the orders where these are known', () => {
    const { users, items } = basketsOf({ ...purchases, orders: Uint32Array.of(5, 6, 5, 5, 7) })
    expect([...users]).toEqual([0, 1, 0])
    expect([...items]).toEqual([3, 8, 1, 2])
  })

  test('are split by the last of each user who has several, or by the newest share', () => {
    const baskets = orders([0, 1], [0, 2], [1, 3], [0, 4])
    const { train, test: last } = lastBasketSplit(baskets)
    expect(historiesOf(train)).toEqual([[Uint32Array.of(2), Uint32Array.of(1)], [Uint32Array.of(3)]])
    expect(historiesOf(last)).toEqual([[Uint32Array.of(4)], []])
    expect([...newestBasketsSplit(baskets, 0.5).test.items]).toEqual([3, 4])
  })
})

describe('the likelihood ratio', () => {
  test('is that of Dunning by hand, 0 for independence', () => {
    expect(likelihoodRatio({ both: 2, one: 4, two: 5, total: 10 })).toBeCloseTo(0, 10)
    // (3 0; 0 3): 2 × 6 × ln 2.
    expect(likelihoodRatio({ both: 3, one: 3, two: 3, total: 6 })).toBeCloseTo(12 * Math.LN2, 10)
  })

  test('is the same whichever of the two is named first, and never below 0', () => {
    const cells = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50))
    fc.assert(
      fc.property(cells, ([both, onlyOne, onlyTwo, neither]) => {
        const [one, two, total] = [both + onlyOne, both + onlyTwo, both + onlyOne + onlyTwo + neither]
        const ratio = likelihoodRatio({ both, one, two, total })
        expect(ratio).toBeGreaterThanOrEqual(0)
        expect(likelihoodRatio({ both, one: two, two: one, total })).toBeCloseTo(ratio, 8)
      }),
    )
  })
})

describe('bought together', () => {
  // 0 and 1 always go together; 9 is in every basket, which says nothing; 2 to 5 are bought alone.
  const baskets = orders(
    ...Array.from({ length: 8 }, (_, n) => [n, 0, 1, 9] as const),
    ...Array.from({ length: 12 }, (_, n) => [n, 2 + (n % 4), 9] as const),
  )

  test('finds what goes with a product, not what is in every basket', () => {
    const { items, scores } = fitBoughtTogether(baskets, { shrinkage: 2 }).similar(0, { k: 5 })
    expect([...items]).toEqual([1])
    // 8 of 20 baskets have both, 8 × 8 / 20 are expected.
    expect(scores[0]).toBeCloseTo((8 - 3.2) / (3.2 + 2), 5)
  })

  test('leaves out pairs that may be chance, and those seen too seldom', () => {
    // G² of 0 and 1 is -2 × (8 ln .4 + 12 ln .6) = 26.9.
    expect(fitBoughtTogether(baskets, { ratioMin: 26.8 }).similar(0, { k: 5 }).items).toHaveLength(1)
    expect(fitBoughtTogether(baskets, { ratioMin: 27 }).similar(0, { k: 5 }).items).toHaveLength(0)
    expect(fitBoughtTogether(baskets, { pairCountMin: 9 }).similar(0, { k: 5 }).items).toHaveLength(0)
    expect(() => fitBoughtTogether(baskets, { shrinkage: -1 })).toThrow(/shrinkage/)
  })

  test('asked with a cart answers what it lacks; what is left out of carts is found', () => {
    const model = fitBoughtTogether(baskets)
    expect([...model.recommend(user(0, 9), { k: 5 }).items]).toEqual([1])
    const test = orders(...Array.from({ length: 4 }, (_, n) => [n, 0, 1] as const))
    const { metrics, cartCount } = evaluateCarts(
      model,
      { train: baskets, test: { ...test, itemCount: 10 } },
      { k: 5 },
    )
    expect(cartCount).toBe(4)
    expect(metrics).toMatchObject({ 'hit_rate@5': 1, 'mrr@5': 1, 'coverage@5': 0.2 })
  })

  test('stops when told to', () => {
    expect(() => fitBoughtTogether(baskets, {}, { signal: AbortSignal.abort() })).toThrow()
    expect(() => fitNextBasket(baskets, {}, { signal: AbortSignal.abort() })).toThrow()
  })
})

describe('the next basket', () => {
  const alone = { personalShare: 1 }

  test('is what was bought most often and lately, by the decays of the paper', () => {
    const model = fitNextBasket(orders([0, 0], [0, 0, 1], [0, 2]), {
      ...alone,
      groupSize: 2,
      withinDecay: 0.5,
      groupDecay: 0.25,
    })
    // Newest group: {2} and, half as heavy, {0, 1}; the group before: {0}. Two groups, of two baskets and one.
    const weights = { 0: (0.5 / 2 + 0.25) / 2, 1: 0.5 / 2 / 2, 2: 1 / 2 / 2 }
    const { items, scores } = model.nextBasket([Uint32Array.of(2), Uint32Array.of(0, 1), Uint32Array.of(0)], {
      k: 5,
    })
    expect([...items]).toEqual([0, 2, 1].sort((a, b) => weights[b as 0] - weights[a as 0] || a - b))
    for (const [n, item] of items.entries()) expect(scores[n]).toBeCloseTo(weights[item as 0], 6)
  })

  test('holds what those alike buy, for users never seen too; their share is 1 - α', () => {
    const baskets = orders([0, 0, 1], [1, 0, 1], [2, 5, 6])
    const model = fitNextBasket(baskets, { personalShare: 0.5, neighbourCount: 10 })
    const { items, scores } = model.nextBasket([Uint32Array.of(0)], { k: 5 })
    expect([...items]).toEqual([0, 1])
    expect(scores[0]).toBeCloseTo(0.5 + 0.5, 6)
    expect(scores[1]).toBeCloseTo(0.5, 6)
    expect([...model.recommend(model.vectorOf([Uint32Array.of(0)]), { k: 5 }).items]).toEqual([1])
    const loaded = loadModel(wholeFile(model.file()))
    expect(loaded.recommend(user(0), { k: 5 })).toEqual(model.recommend(user(0), { k: 5 }))
  })

  test('parts of any answer add up to its score', () => {
    const basket = fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 5 })
    const all = fc.array(fc.tuple(fc.nat(6), basket), { minLength: 1, maxLength: 25 })
    fc.assert(
      fc.property(all, fc.array(basket, { minLength: 1, maxLength: 4 }), (rows, past) => {
        const model = fitNextBasket(orders(...rows.map(([who, items]) => [who, ...items] as const)), {
          neighbourCount: 3,
          groupSize: 2,
        })
        const own = model.vectorOf(past.map((items) => Uint32Array.from(items)))
        const { items, scores } = model.recommend(own, { k: 20, filter: () => true })
        for (const [n, item] of items.entries()) {
          const parts = model.explain(own, item)
          expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(scores[n]!, 5)
        }
      }),
    )
  })

  test('refuses shares beyond 1', () => {
    expect(() => fitNextBasket(orders([0, 0]), { personalShare: 1.1 })).toThrow(/personalShare/)
  })

  test('is measured by repeats and by what is new', () => {
    // User 0 buys 0 again and 3 anew, user 1 only what is new.
    const split = { train: orders([0, 0, 1], [1, 2]), test: orders([0, 0, 3], [1, 4]) }
    const shown = [Uint32Array.of(0, 3), Uint32Array.of(2, 9)]
    let next = 0
    const rank = () => ({ items: shown[next++]!, scores: Float32Array.of(2, 1) })
    const { metrics, userCount, ndcgByUser } = evaluateBaskets(rank, split, { k: 2 })
    expect(userCount).toBe(2)
    expect([...ndcgByUser]).toEqual([1, 0])
    expect(metrics).toEqual({
      'recall@2': 0.5,
      'ndcg@2': 0.5,
      'hit_rate@2': 0.5,
      'repeat_recall@2': 1,
      'explore_recall@2': 0.5,
      'repeat_share@2': 0.5,
      wanted_repeat_share: 0.25,
    })
  })
})
