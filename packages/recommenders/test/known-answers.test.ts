import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  alsModelOf,
  BlendModel,
  confidencesOf,
  fitAls,
  fitEase,
  fitItemKnn,
  fitPopular,
  fitSlim,
  fitTrending,
  fitWalk,
  type Interactions,
  loadModel,
  wholeFile,
  withTimeDecay,
} from '../src/index.ts'
import { timelineOf, userTimelines } from '../src/timelines.ts'
import { blocks, from, user } from './matrices.ts'

describe('rankings for everybody', () => {
  test('popular counts users, not repeats', () => {
    const model = fitPopular(
      from([
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 1],
        [1, 1],
      ]),
    )
    expect([...model.recommend(user(), { k: 5 }).items]).toEqual([1, 0])
    expect([...loadModel(wholeFile(model.file())).recommend(user(1), { k: 5 }).items]).toEqual([0])
  })

  test('trending prefers what is recent', () => {
    const day = 86_400_000
    const old = Array.from({ length: 10 }, (_, n) => [n, 0, 0] as const)
    const model = fitTrending(from([...old, [0, 1, 30 * day], [1, 1, 30 * day]]))
    expect(model.recommend(user(), { k: 1 }).items[0]).toBe(1)
  })
})

describe('time decay', () => {
  const day = 86_400_000
  const data = from([
    [0, 0, 30 * day],
    [0, 1, 30 * day],
    [1, 0, 0],
    [1, 2, 0],
    [2, 0, 20 * day, 8],
  ])

  test('halves a weight with each half-life, from the newest on or from when it is told', () => {
    const { weights } = withTimeDecay(data, { halfLifeMs: 10 * day })
    expect([...weights]).toEqual([1, 1, 1 / 8, 1 / 8, 4])
    expect(withTimeDecay(data, { halfLifeMs: 10 * day, nowMs: 40 * day }).weights[0]).toBe(0.5)
    expect(withTimeDecay(data, { halfLifeMs: 10 * day, nowMs: 0 }).weights[0]).toBe(1)
    expect(() => withTimeDecay(data, { halfLifeMs: 0 })).toThrow(/halfLifeMs/)
    expect(withTimeDecay(from([]), { halfLifeMs: 1 }).weights).toHaveLength(0)
  })

  test.each([
    ['the walk', fitWalk],
    ['item kNN', fitItemKnn],
    ['EASE', fitEase],
    ['SLIM', fitSlim],
  ])('lets %s prefer what went together lately', (_, fit) => {
    const [before, after] = [data, withTimeDecay(data, { halfLifeMs: 10 * day })].map(
      (one) => fit(one).explain(user(0), 2)[0]!,
    )
    expect(fit(data).explain(user(0), 1)[0]).toBeCloseTo(before!, 6)
    expect(after).toBeLessThan(before! / 4)
    // What is as old as can be is gone, not an error.
    expect(fit(withTimeDecay(data, { halfLifeMs: 1 })).similar(2, { k: 5 }).items).toHaveLength(0)
  })
})

describe('the walk', () => {
  test('matches its formula', () => {
    const data = from([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
    ])
    const [alpha, gamma, beta] = [0.7, 0.9, 0.3]
    const { items, scores } = fitWalk(data, {
      startExponent: alpha,
      userExponent: gamma,
      endExponent: beta,
    }).similar(0, { k: 5 })
    const toOne = (3 ** -gamma + 2 ** -gamma) / (2 ** alpha * 2 ** beta)
    const toTwo = 3 ** -gamma / (2 ** alpha * 1 ** beta)
    expect([...items]).toEqual([1, 2])
    expect(scores[0]).toBeCloseTo(toOne, 5)
    expect(scores[1]).toBeCloseTo(toTwo, 5)
  })

  test('counts items that follow closely in time for more, and steps back as told', () => {
    // One user: 0, then 1, then 2.
    const data = from([
      [0, 2, 30],
      [0, 0, 10],
      [0, 1, 20],
    ])
    const options = { startExponent: 0, userExponent: 0, endExponent: 0, proximityExponent: 1 }
    const { items, scores } = fitWalk(data, { ...options, backwardWeight: 0.5 }).similar(1, { k: 5 })
    expect([...items]).toEqual([2, 0])
    expect([...scores]).toEqual([1 / 2, 1 / 4])
    expect([...fitWalk(data, options).similar(0, { k: 5 }).scores]).toEqual([1 / 2, Math.fround(1 / 3)])
  })
})

describe('item kNN', () => {
  const data = from([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 2],
    [3, 2],
  ])

  test('matches its formulas', () => {
    // Items by users: 0 = {0, 1, 2}, 1 = {0, 1}, 2 = {2, 3}; every user but 3 has two of three items.
    const cosine = fitItemKnn(data, { shrinkage: 1 }).similar(0, { k: 5 })
    expect([...cosine.items]).toEqual([1, 2])
    expect(cosine.scores[0]).toBeCloseTo(2 / (Math.sqrt(3 * 2) + 1), 6)
    expect(cosine.scores[1]).toBeCloseTo(1 / (Math.sqrt(3 * 2) + 1), 6)
    const [two, one] = [Math.log(1 + 3 / 2), Math.log(1 + 3 / 1)]
    const tfIdf = fitItemKnn(data, { weighting: 'tf-idf', shrinkage: 0 }).similar(0, { k: 5 })
    expect(tfIdf.scores[1]).toBeCloseTo(two ** 2 / (Math.sqrt(3 * two ** 2) * Math.hypot(two, one)), 6)
    const idf = Math.log(1 + 1.5 / 2.5)
    const termOf = (degree: number) => 2.2 / (1 + 1.2 * (0.5 + (0.5 * degree) / (7 / 3)))
    const bm25 = fitItemKnn(data, { weighting: 'bm25' }).similar(0, { k: 5 })
    expect(bm25.scores[0]).toBeCloseTo(2 * idf ** 2 * termOf(3) * termOf(2), 6)
  })

  test('keeps the best neighbours only', () => {
    expect([...fitItemKnn(data, { neighbourCount: 1 }).similar(0, { k: 5 }).items]).toEqual([1])
    expect(() => fitItemKnn(data, { shrinkage: -1 })).toThrow(/negative/)
  })
})

describe('EASE', () => {
  // Users: {0, 1}, {0, 1}, {1, 2}, so XᵀX = (2 2 0; 2 3 1; 0 1 1).
  const data = from([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 1],
    [2, 2],
  ])

  test.each([
    ['as a whole', 6_000],
    ['item by item', 0],
  ])('matches the ridge regression solved by hand, %s', (_, denseItemsMax) => {
    const model = fitEase(data, { ridge: 1, denseItemsMax })
    // Item 1 from 0 and 2: (3 0; 0 2) w = (2 1). Item 0 from 1 and 2: (4 1; 1 2) w = (2 0).
    expect(model.explain(user(0), 1)[0]).toBeCloseTo(2 / 3, 5)
    expect(model.explain(user(2), 1)[0]).toBeCloseTo(1 / 2, 5)
    // The local ridge leaves out 2, which was never seen with 0: 4 w = 2.
    expect(model.explain(user(1), 0)[0]).toBeCloseTo(denseItemsMax === 0 ? 1 / 2 : 4 / 7, 5)
    expect(model.explain(user(2), 0)[0]).toBeCloseTo(denseItemsMax === 0 ? 0 : -2 / 7, 5)
  })

  test('refuses a ridge of nothing', () => {
    expect(() => fitEase(data, { ridge: 0 })).toThrow(/ridge/)
  })
})

describe('SLIM', () => {
  test('matches the elastic net solved by hand', () => {
    // Users: {0, 1}, {0, 1}, {1, 2}, so XᵀX = (2 2 0; 2 3 1; 0 1 1).
    const data = from([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ])
    const model = fitSlim(data, { l1: 0.5, l2: 1 })
    // Item 1 from 0 and 2, which nobody has both: (2 - ½) / (2 + 1) and (1 - ½) / (1 + 1).
    expect(model.explain(user(0), 1)[0]).toBeCloseTo(1 / 2, 6)
    expect(model.explain(user(2), 1)[0]).toBeCloseTo(1 / 4, 6)
    // Items 0 and 2 from 1: (2 - ½) / (3 + 1) and (1 - ½) / (3 + 1).
    expect(model.explain(user(1), 0)[0]).toBeCloseTo(3 / 8, 6)
    expect(model.explain(user(1), 2)[0]).toBeCloseTo(1 / 8, 6)
    expect(model.explain(user(2), 0)[0]).toBe(0)
  })

  test('each weight satisfies the conditions of Karush, Kuhn and Tucker', () => {
    const pairs = fc.array(fc.tuple(fc.nat(11), fc.nat(7), fc.constant(0), fc.integer({ min: 1, max: 6 })), {
      minLength: 1,
      maxLength: 60,
    })
    const penalty = fc.double({ min: 0.01, max: 5, noNaN: true })
    fc.assert(
      fc.property(pairs, penalty, penalty, (all, l1, l2) => {
        const data = { ...from(all), userCount: 12, itemCount: 8 }
        // Two items that the same users have are told apart by β alone: a pass brings them nearer by β / G, some 2 in 100,000.
        const model = fitSlim(data, { l1, l2, tolerance: 1e-9, passesMax: 200_000 })
        const gram = gramOf(data)
        for (let item = 0; item < 8; item++) {
          const weights = Array.from({ length: 8 }, (_, other) => model.explain(user(other), item)[0]!)
          expect(weights[item]).toBe(0)
          for (const [i, weight] of weights.entries()) {
            if (i === item) continue
            const slope = weights.reduce(
              (sum, w, k) => sum + gram[i]![k]! * w,
              l2 * weight + l1 - gram[i]![item]!,
            )
            expect(weight).toBeGreaterThanOrEqual(0)
            if (weight > 0) expect(Math.abs(slope)).toBeLessThan(1e-3)
            else expect(slope).toBeGreaterThan(-1e-3)
          }
        }
      }),
    )
  })

  test('has candidates most often seen with an item only, and refuses penalties below 0', () => {
    const model = fitSlim(blocks(), { candidateCount: 3 })
    const predicting = Array.from({ length: 24 }, (_, other) => model.explain(user(other), 0)[0]!)
    expect(predicting.filter((weight) => weight > 0)).toHaveLength(3)
    expect(() => fitSlim(blocks(), { l1: -1 })).toThrow(/l1/)
    expect(() => fitSlim(blocks(), { l2: Number.NaN })).toThrow(/l2/)
  })
})

/** XᵀX with x_ui = 1 + ln(weight). */
function gramOf(data: Interactions): number[][] {
  const rows = userTimelines(data)
  const x = Array.from({ length: data.userCount }, (_, u) => {
    const { items, weights } = timelineOf(rows, u)
    return Array.from({ length: data.itemCount }, (__, item) => {
      const at = items.indexOf(item)
      return at < 0 ? 0 : 1 + Math.log(weights[at]!)
    })
  })
  const all = Array.from({ length: data.itemCount }, (_, i) => i)
  return all.map((i) => all.map((j) => x.reduce((sum, row) => sum + row[i]! * row[j]!, 0)))
}

describe('iALS', () => {
  test('of one user and one item ends where its objective is least', () => {
    // x = y = s: (1 - s²)² + α₀ s⁴ + 2 λ (1 + α₀) s² is least at s² = (1 - λ (1 + α₀)) / (1 + α₀).
    const [alpha, lambda] = [0.5, 0.1]
    const options = { factorCount: 1, unobservedWeight: alpha, ridge: lambda, iterations: 200 }
    const model = fitAls({ ...from([[0, 0]]) }, options)
    const { scores } = model.recommend(user(0), { k: 1, filter: () => true })
    expect(scores[0]).toBeCloseTo((1 - lambda * (1 + alpha)) / (1 + alpha), 4)
  })

  test('refuses what has no solution', () => {
    expect(() => fitAls(blocks(), { ridge: 0 })).toThrow(/ridge/)
    expect(() => fitAls(blocks(), { factorCount: Number.NaN })).toThrow(/factorCount/)
  })

  test('of vectors fitted elsewhere solves a user as Hu, Koren and Volinsky do, eq. 4, with λ n of Zhou et al.', () => {
    const number = fc.integer({ min: -100, max: 100 }).map((one) => one / 100)
    const rating = fc.double({ min: -5, max: 20, noNaN: true }).filter((one) => Math.abs(one) > 0.01)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, fc.option(rating)), { minLength: 3, maxLength: 12 }),
        fc.double({ min: 0.5, max: 40, noNaN: true }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (rows, alpha, lambda) => {
          const own = rows.flatMap(([, , r], item) => (r === null ? [] : [[item, r] as const]))
          fc.pre(own.some(([, r]) => r > 0))
          const model = loadModel(
            wholeFile(
              alsModelOf(
                {
                  itemCount: rows.length,
                  factorCount: 2,
                  values: Float32Array.from({ length: 2 * rows.length }, (_, n) => rows[n >> 1]![n % 2]!),
                },
                {
                  unobservedWeight: 1 / alpha,
                  ridge: lambda / alpha,
                  ridgeExponent: 1,
                  objective: 'hu-2008',
                },
                from([]),
              ).file(),
            ),
          )
          const asked = {
            items: Uint32Array.from(own, ([item]) => item),
            weights: Float32Array.from(own, ([, r]) => r),
          }
          const { items, scores } = model.recommend(asked, { k: rows.length, filter: () => true })
          const wanted = scoresByHand(rows, alpha, lambda)
          const most = Math.max(0, ...wanted)
          for (const [n, item] of items.entries()) expect(scores[n]).toBeCloseTo(wanted[item]!, 3)
          expect(items.length).toBeGreaterThanOrEqual(wanted.filter((score) => score > 0.01 * most).length)
          for (const item of items.slice(0, 3)) {
            const parts = model.explain(asked, item)
            expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(wanted[item]!, 3)
          }
        },
      ),
    )
  })
})

/** Of two factors: x = (YᵀY + Yᵀ(C - I)Y + λ n I)^-1 YᵀC p, by Cramer's rule; then Y x. c = 1 + α |r|, r as `confidencesOf` has it. */
function scoresByHand(
  rows: readonly (readonly [number, number, number | null])[],
  alpha: number,
  lambda: number,
): number[] {
  let [a, b, d, right0, right1] = [0, 0, 0, 0, 0]
  for (const [y0, y1, weight] of rows) {
    const r = weight === null ? 0 : Math.sign(weight) * confidence(Math.abs(weight))
    const c = 1 + alpha * Math.abs(r)
    a += c * y0 * y0 + (r > 0 ? lambda : 0)
    b += c * y0 * y1
    d += c * y1 * y1 + (r > 0 ? lambda : 0)
    right0 += r > 0 ? c * y0 : 0
    right1 += r > 0 ? c * y1 : 0
  }
  const determinant = a * d - b * b
  const x = [(right0 * d - b * right1) / determinant, (a * right1 - b * right0) / determinant] as const
  return rows.map(([y0, y1]) => x[0] * y0 + x[1] * y1)
}

const confidence = (weight: number): number => (weight > 1 ? 1 + Math.log(weight) : weight)

test('confidences are one a pair, of its sum, without what was taken back', () => {
  const { starts, columns, values } = confidencesOf(
    from([
      [0, 2, 0, 2],
      [0, 1, 0, 0.5],
      [0, 2, 1, 1],
      [1, 1, 0, 4],
      [1, 1, 1, -4],
    ]),
  )
  expect([[...starts], [...columns]]).toEqual([
    [0, 2, 2],
    [1, 2],
  ])
  expect(values[0]).toBe(0.5)
  expect(values[1]).toBeCloseTo(1 + Math.log(3), 6)
})

describe('timelines', () => {
  test('are newest first; a repeat counts where it came last', () => {
    const data = from([
      [0, 5, 10, 1],
      [0, 3, 30, 2],
      [0, 4, 20, 1],
      [0, 5, 40, 2],
      [1, 1, 7, 1],
      [1, 0, 7, 1],
    ])
    const rows = userTimelines(data)
    expect([...timelineOf(rows, 0).items]).toEqual([5, 3, 4])
    expect([...timelineOf(rows, 0).weights]).toEqual([3, 2, 1])
    expect([...timelineOf(rows, 1).items]).toEqual([0, 1])
  })

  test('of any history are what the definition says, also where pairs are repeated and taken back', () => {
    const interaction = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: -2, max: 3 }),
    )
    fc.assert(
      fc.property(fc.array(interaction, { minLength: 1, maxLength: 40 }), (history) => {
        const data = from(history)
        const rows = userTimelines(data)
        for (let one = 0; one < data.userCount; one++) {
          const { items, weights } = timelineOf(rows, one)
          expect([...items].map((item, n) => [item, weights[n]])).toEqual(timelineByDefinition(history, one))
        }
        expect(userTimelines(data)).toBe(rows)
      }),
    )
  })
})

/** Items with the sums of their weights, by their last time, later ones of the same time first. */
function timelineByDefinition(
  history: readonly (readonly [user: number, item: number, timeMs: number, weight: number])[],
  user: number,
): number[][] {
  const own = history.filter(([one]) => one === user).sort((a, b) => a[2] - b[2])
  const sums = new Map<number, number>()
  for (const [, item, , weight] of own) {
    const sum = (sums.get(item) ?? 0) + weight
    sums.delete(item)
    sums.set(item, sum)
  }
  return [...sums].filter(([, sum]) => sum > 0).reverse()
}

describe('a blend', () => {
  const weights = { a: 1, b: 0.5 }
  const data = from([
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [2, 3],
  ])
  const blend = new BlendModel(
    [
      { model: fitWalk(data), weight: weights.a },
      { model: fitPopular(data), weight: weights.b },
    ],
    { recencyExponent: 1 },
  )

  test('adds up scores relative to the best of each part', () => {
    const walk = fitWalk(data).recommend(user(0), { k: 5 })
    const { items, scores } = blend.recommend(user(0), { k: 5 })
    expect([...items]).toEqual([1, 2, 3])
    expect(scores[0]).toBeCloseTo(1 + 0.5, 6)
    expect(scores[1]).toBeCloseTo(walk.scores[1]! / walk.scores[0]! + 0.5 / 2, 6)
    expect(scores[2]).toBeCloseTo(0.5 / 2, 6)
  })

  test('lets the n-th newest item count a n-th where the exponent is 1', () => {
    const model = fitWalk(data)
    const alone = new BlendModel([{ model, weight: 1 }], { recencyExponent: 1 })
    const [newest, second] = [model.explain(user(0, 1), 2)[0]!, model.explain(user(0, 1), 2)[1]!]
    const parts = alone.explain(user(0, 1), 2)
    expect(parts[1]! / parts[0]!).toBeCloseTo(second / 2 / newest, 5)
  })

  test('refuses to be made of nothing', () => {
    expect(() => new BlendModel([])).toThrow(/parts/)
    expect(() => new BlendModel([{ model: fitPopular(data), weight: 0 }])).toThrow(/above 0/)
  })
})
