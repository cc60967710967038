import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BlendModel,
  evaluate,
  type FitSignal,
  fitAls,
  fitChoice,
  fitContent,
  fitEase,
  fitItemKnn,
  fitLowPass,
  fitPopular,
  fitTrending,
  fitWalk,
  IdTable,
  type Interactions,
  lastOfEachSplit,
  loadModel,
  type Model,
  meanWithInterval,
  pairedDifference,
  rankMetrics,
  readModelFile,
  TopK,
  timeSplit,
  tune,
  validationSplit,
} from '../src/index.ts'
import { timelineOf, userTimelines } from '../src/timelines.ts'

const GROUPS = 2
const SIZE = 12

/** Two groups of users, each with items of its own; user u has all items of the group but the one at their own place. */
function blocks(): Interactions & { readonly withheld: readonly number[] } {
  const pairs: [number, number][] = []
  const withheld: number[] = []
  for (let user = 0; user < GROUPS * SIZE; user++) {
    const group = Math.floor(user / SIZE)
    for (let place = 0; place < SIZE; place++) {
      const item = group * SIZE + place
      if (place === user % SIZE) withheld.push(item)
      else pairs.push([user, item])
    }
  }
  return { ...from(pairs), userCount: GROUPS * SIZE, itemCount: GROUPS * SIZE, withheld }
}

function from(
  pairs: readonly (readonly [user: number, item: number, time?: number, weight?: number])[],
): Interactions {
  return {
    userCount: Math.max(0, ...pairs.map(([user]) => user + 1)),
    itemCount: Math.max(0, ...pairs.map(([, item]) => item + 1)),
    users: Uint32Array.from(pairs, ([user]) => user),
    items: Uint32Array.from(pairs, ([, item]) => item),
    weights: Float32Array.from(pairs, ([, , , weight]) => weight ?? 1),
    timesMs: Float64Array.from(pairs, ([, , time]) => time ?? 0),
  }
}

const user = (...items: number[]) => ({
  items: Uint32Array.from(items),
  weights: new Float32Array(items.length).fill(1),
})

/** As much as a matrix of rank 2 needs. */
const ALS_OPTIONS = { factorCount: 16, ridge: 0.01, iterations: 25 }

const personal: Readonly<Record<string, (data: Interactions) => Model>> = {
  walk: (data) => fitWalk(data),
  'walk without damping': (data) => fitWalk(data, { startExponent: 0, userExponent: 0, endExponent: 0 }),
  'walk of close neighbours': (data) => fitWalk(data, { proximityExponent: 0.5, backwardWeight: 0.5 }),
  'item kNN by cosine': (data) => fitItemKnn(data),
  'item kNN by TF-IDF': (data) => fitItemKnn(data, { weighting: 'tf-idf' }),
  'item kNN by BM25': (data) => fitItemKnn(data, { weighting: 'bm25' }),
  EASE: (data) => fitEase(data, { ridge: 1 }),
  'EASE by local ridges': (data) => fitEase(data, { ridge: 1, denseItemsMax: 0 }),
  iALS: (data) => fitAls(data, ALS_OPTIONS),
  'iALS of candidates': (data) => fitAls(data, { ...ALS_OPTIONS, scannedFloatsMax: 0 }),
  blend: (data) =>
    new BlendModel(
      [
        { model: fitWalk(data), weight: 1 },
        { model: fitLowPass(data, { rank: GROUPS }), weight: 0.5 },
      ],
      { recencyExponent: 0.5 },
    ),
  'low-pass': (data) => fitLowPass(data, { rank: GROUPS }),
  content: (data) =>
    // Items of a group share features, as items of a category do.
    fitContent({
      itemCount: data.itemCount,
      featureCount: 3,
      items: Uint32Array.from({ length: data.itemCount }, (_, item) => item),
      features: Uint32Array.from({ length: data.itemCount }, (_, item) => Math.floor(item / SIZE)),
    }),
}

const stepwise: Readonly<Record<string, (data: Interactions, signal: FitSignal) => Model>> = {
  walk: (data, signal) => fitWalk(data, {}, signal),
  'low-pass': (data, signal) => fitLowPass(data, { rank: GROUPS }, signal),
  iALS: (data, signal) => fitAls(data, {}, signal),
  'item kNN': (data, signal) => fitItemKnn(data, {}, signal),
  EASE: (data, signal) => fitEase(data, {}, signal),
  'EASE by local ridges': (data, signal) => fitEase(data, { denseItemsMax: 0 }, signal),
}

describe.each(Object.entries(personal))('%s', (_, fit) => {
  const data = blocks()
  const model = fit(data)
  const past = (u: number) => user(...data.items.filter((__, n) => data.users[n] === u))

  test('finds the item withheld from each user first', () => {
    for (let u = 0; u < data.userCount; u++)
      expect(model.recommend(past(u), { k: 1 }).items[0]).toBe(data.withheld[u])
  })

  test('gives the same again after saving and loading', () => {
    const loaded = loadModel(model.save())
    expect(loaded.kind).toBe(model.kind)
    for (const u of [0, 5, 23]) {
      expect(loaded.recommend(past(u), { k: 5 })).toEqual(model.recommend(past(u), { k: 5 }))
      expect(loaded.similar(u, { k: 5 })).toEqual(model.similar(u, { k: 5 }))
    }
  })

  test('similar items are of the same group, never the item itself', () => {
    const { items } = model.similar(3, { k: 50 })
    expect(items.length).toBeGreaterThan(5)
    expect([...items].every((item) => item < SIZE && item !== 3)).toBe(true)
  })

  test('a filter is obeyed, k is a limit, scores fall', () => {
    const answer = model.recommend(user(0, 1), { k: 4, filter: (item) => item % 2 === 0 && item > 1 })
    expect(answer.items.length).toBe(4)
    expect([...answer.items].every((item) => item % 2 === 0 && item > 1)).toBe(true)
    expect([...answer.scores]).toEqual([...answer.scores].sort((a, b) => b - a))
    expect(model.recommend(user(0), { k: 1_000 }).items.length).toBeLessThan(data.itemCount)
    expect(model.recommend(user(0), { k: 0 }).items.length).toBe(0)
  })

  test('nothing known of the user gives nothing; items it never saw are passed over', () => {
    expect(model.recommend(user(), { k: 5 }).items.length).toBe(0)
    expect(model.recommend(user(9_999), { k: 5 }).items.length).toBe(0)
    expect(model.recommend(user(9_999, 0), { k: 1 }).items.length).toBe(1)
  })

  test('the explanation adds up to the score', () => {
    const own = user(0, 1, 20)
    const { items, scores } = model.recommend(own, { k: 1 })
    const parts = model.explain(own, items[0]!)
    expect(parts).toHaveLength(3)
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(scores[0]!, 4)
    expect(parts[2]).toBeCloseTo(0, 4)
    const strongest = parts.indexOf(Math.max(...parts))
    expect([...model.reasons(own, Uint32Array.of(items[0]!, 20))]).toEqual([strongest, expect.any(Number)])
  })
})

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
    expect([...loadModel(model.save()).recommend(user(1), { k: 5 }).items]).toEqual([0])
  })

  test('trending prefers what is recent', () => {
    const day = 86_400_000
    const old = Array.from({ length: 10 }, (_, n) => [n, 0, 0] as const)
    const model = fitTrending(from([...old, [0, 1, 30 * day], [1, 1, 30 * day]]))
    expect(model.recommend(user(), { k: 1 }).items[0]).toBe(1)
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
})

describe('every model that is fitted step by step', () => {
  test.each(Object.entries(stepwise))('%s stops when told to, and tells its progress', (_, fit) => {
    expect(() => fit(blocks(), { signal: AbortSignal.abort() })).toThrow()
    const seen: number[] = []
    fit(blocks(), { onProgress: (fraction) => seen.push(fraction) })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true)
  })

  test.each(Object.entries(stepwise))('%s fitted again is the same to the byte', (_, fit) => {
    expect(fit(blocks(), {}).save()).toEqual(fit(blocks(), {}).save())
  })
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
})

describe('evaluation', () => {
  test('metrics of a ranking by hand', () => {
    const { recall, ndcg, map, mrr } = rankMetrics(Uint32Array.of(5, 1, 7, 2), new Set([1, 2, 9]), 4)
    expect(recall).toBeCloseTo(2 / 3)
    expect(mrr).toBe(0.5)
    expect(map).toBeCloseTo((1 / 2 + 2 / 4) / 3)
    const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4)
    expect(ndcg).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / ideal)
  })

  test('novelty, popularity and intervals by hand', () => {
    // Items of 3, 2 and 1 of four users; user 3 has item 1 and wants item 2.
    const train = from([
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1],
      [3, 1],
      [1, 2],
    ])
    const wanted = { ...train, ...from([[3, 2]]), userCount: 4, itemCount: 3 }
    const { metrics, ndcgByUser } = evaluate(fitPopular(train), { train, test: wanted }, 2)
    expect(metrics['novelty@2']).toBeCloseTo((-Math.log2(3 / 4) - Math.log2(1 / 4)) / 2, 6)
    expect(metrics['popularity@2']).toBeCloseTo(2, 6)
    expect([...ndcgByUser]).toEqual([1 / Math.log2(3)])
    expect(meanWithInterval(Float64Array.of(1, 2, 3, 4)).mean).toBe(2.5)
    const half = (1.96 * Math.sqrt(1.25)) / 2
    expect(meanWithInterval(Float64Array.of(1, 2, 3, 4)).high).toBeCloseTo(2.5 + half, 6)
  })

  test('a time split puts the newest fifth apart, and a good model beats popular on it', () => {
    const data = blocks()
    const timed = { ...data, timesMs: Float64Array.from(data.users, (_, n) => (n * 7919) % 1_000) }
    const split = timeSplit(timed)
    expect(split.test.users.length / timed.users.length).toBeCloseTo(0.2, 1)
    expect(Math.max(...split.train.timesMs)).toBeLessThan(Math.min(...split.test.timesMs))
    const walk = evaluate(fitWalk(split.train), split, 5)
    const popular = evaluate(fitPopular(split.train), split, 5)
    expect(walk.metrics['ndcg@5']).toBeGreaterThan(popular.metrics['ndcg@5']!)
    expect(pairedDifference(walk.ndcgByUser, popular.ndcgByUser).low).toBeGreaterThan(0)
    expect(pairedDifference(walk.ndcgByUser, walk.ndcgByUser)).toEqual({ mean: 0, low: 0, high: 0 })
  })
})

describe('formats and algorithms', () => {
  test('the best k are those a full sort gives', () => {
    const scores = fc.array(fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, 1, 1, 2)), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(scores, fc.nat({ max: 30 }), (values, k) => {
        const top = new TopK(k)
        for (const [item, score] of values.entries()) top.offer(item, score)
        const sorted = values
          .map((score, item) => ({ score: Math.fround(score), item }))
          .sort((a, b) => b.score - a.score || a.item - b.item)
        expect([...top.result().items]).toEqual(sorted.slice(0, k).map(({ item }) => item))
      }),
    )
  })

  test('ids come back as they went in, unknown ones are -1', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (ids) => {
        const table = IdTable.load(IdTable.of(ids).save())
        expect(table.size).toBe(new Set(ids).size)
        for (const id of ids) expect(table.idOf(table.indexOf(id))).toBe(id)
        expect(table.indexOf('\u{1F600} not there')).toBe(-1)
      }),
    )
  })

  test('a file that is cut or changed anywhere is refused', () => {
    const bytes = fitWalk(blocks()).save()
    for (const length of [0, 7, 20, bytes.length - 1])
      expect(() => readModelFile(bytes.slice(0, length))).toThrow(/model file/)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), (at) => {
        const broken = bytes.slice()
        broken[at]! ^= 0x10
        expect(() => loadModel(broken)).toThrow(/model file/)
      }),
    )
  })

  test.each([
    ['lengths that differ', { ...blocks(), items: new Uint32Array(3) }],
    ['a user out of range', { ...blocks(), userCount: 2 }],
    ['an item out of range', { ...blocks(), itemCount: 2 }],
    [
      'a weight that is NaN',
      { ...blocks(), weights: new Float32Array(blocks().items.length).fill(Number.NaN) },
    ],
  ])('%s are refused', (_, data) => {
    expect(() => fitWalk(data)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })

  test('no interactions, one user, one item give models that answer', () => {
    for (const data of [{ ...from([]), userCount: 0, itemCount: 0 }, from([[0, 0]])]) {
      for (const fit of [fitWalk, fitItemKnn, fitAls, fitEase, fitLowPass, fitPopular, fitTrending]) {
        const model = fit(data)
        expect(model.recommend(user(0), { k: 3 }).items.length).toBe(0)
        expect(evaluate(model, timeSplit(data), 3).metrics['ndcg@3']).toBe(0)
      }
    }
  })
})

describe('tuning', () => {
  test('withholds the newest of each user, in the order given where there are no times', () => {
    const pairs = (times: readonly number[]) =>
      from([0, 1, 2, 3, 4].map((item, n) => [0, item, times[n] ?? 0] as const))
    expect([...lastOfEachSplit(pairs([])).test.items]).toEqual([4])
    expect([...lastOfEachSplit(pairs([9, 5, 1, 2, 3])).test.items]).toEqual([0])
    expect([...lastOfEachSplit(pairs([]), 0.4).train.items]).toEqual([0, 1, 2])
    expect([...lastOfEachSplit(from([[0, 7]])).test.items]).toEqual([])
  })

  test('draws what it withholds where lists are sorted by item, whose order says nothing', () => {
    const sorted = from(Array.from({ length: 60 }, (_, n) => [n % 6, Math.floor(n / 6)] as const))
    const { train, test: withheld } = validationSplit(sorted)
    expect(withheld.users).toHaveLength(12)
    expect(train.users).toHaveLength(48)
    expect(Math.min(...withheld.items)).toBeLessThan(8)
    expect(validationSplit(sorted)).toEqual(validationSplit(sorted))
    const shuffled = { ...sorted, items: sorted.items.toReversed() }
    expect(validationSplit(shuffled)).toEqual(lastOfEachSplit(shuffled))
  })

  test('tries every kind, and takes what ranks best on the validation data', () => {
    const split = lastOfEachSplit(blocks())
    const tuned = tune(split, { k: 5, trialsMax: 12 })
    const kinds = ['als', 'ease', 'item-knn', 'low-pass', 'popular', 'walk']
    expect([...new Set(tuned.tried.map(({ choice }) => choice.kind))].sort()).toEqual(kinds)
    expect(tuned.choice.kind).not.toBe('popular')
    expect(tuned.ndcg).toBeGreaterThanOrEqual(Math.max(...tuned.best.map(({ ndcg }) => ndcg)))
    const { metrics } = evaluate(fitChoice(tuned.choice, split.train), split, 5)
    expect(metrics['ndcg@5']).toBeCloseTo(tuned.ndcg, 6)
    expect(tune(split, { k: 5, trialsMax: 12 })).toEqual(tuned)
  })

  test('keeps to its budget, and stops when told to', () => {
    const split = lastOfEachSplit(blocks())
    const { tried } = tune(split, { k: 5, fitSecondsMax: 0 })
    expect(new Set(tried.map(({ choice }) => choice.kind))).toEqual(new Set(['popular', 'walk']))
    expect(() => tune(split, { k: 5, signal: AbortSignal.abort() })).toThrow()
  })

  test('without anybody to judge by it answers all the same', () => {
    const empty = { ...from([]), userCount: 0, itemCount: 0 }
    expect(tune({ train: empty, test: empty }, { k: 5 }).ndcg).toBe(0)
  })
})

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
