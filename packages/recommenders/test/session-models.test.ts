import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BlendModel,
  fitSequentialRules,
  fitSessionItemKnn,
  fitSessionModel,
  fitVmisKnn,
  fitVstan,
  loadModel,
  type Model,
  type SessionEvents,
  wholeFile,
} from '../src/index.ts'
import { DAY_MS, scoresOf, sessionsOf, visitor } from './session-examples.ts'

/** Answers of any item, as the protocol of session evaluation asks. */
const any = { k: 100, filter: () => true }

const models: Readonly<Record<string, (events: SessionEvents) => Model>> = {
  'vmis-knn': (events) => fitVmisKnn(events),
  'vmis-knn of few neighbours': (events) => fitVmisKnn(events, { neighbourCount: 3, sampleSize: 5 }),
  vstan: (events) => fitVstan(events),
  'vstan of few neighbours': (events) => fitVstan(events, { neighbourCount: 3, sampleSize: 5 }),
  'sequential-rules': (events) => fitSequentialRules(events, { historyCount: 5 }),
  'session-item-knn': (events) => fitSessionItemKnn(events, { historyCount: 5, ageDecayDays: 30 }),
  'session-blend': (events) =>
    new BlendModel(
      [
        { model: fitVstan(events), weight: 1 },
        { model: fitSequentialRules(events), weight: 0.5 },
      ],
      { depth: 50 },
    ),
}

const item = fc.nat({ max: 11 })
const lists = fc.array(fc.array(item, { maxLength: 8 }), { maxLength: 20 })
const past = fc.array(fc.nat({ max: 14 }), { maxLength: 12 })

describe.each(Object.entries(models))('%s', (_, fit) => {
  test('any sessions: own items are left out, scores fall, the file gives the same, parts add up to the score', () => {
    fc.assert(
      fc.property(lists, past, (sessions, own) => {
        const model = fit(sessionsOf(sessions, 12))
        const user = visitor(...own)
        const { items, scores } = model.recommend(user, { k: 20 })
        expect(new Set(items).size).toBe(items.length)
        for (const one of items) expect(own).not.toContain(one)
        expect([...scores]).toEqual([...scores].sort((a, b) => b - a))
        expect(scores.every((score) => score > 0)).toBe(true)
        const loaded = loadModel(wholeFile(model.file()))
        expect(loaded.recommend(user, { k: 20 })).toEqual({ items, scores })
        expect(loaded.recommend(user, any)).toEqual(model.recommend(user, any))
        const reasons = model.reasons(user, items)
        for (const [n, one] of items.entries()) {
          const parts = model.explain(user, one)
          expect(parts).toHaveLength(own.length)
          expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(scores[n]!, 4)
          expect(parts[reasons[n]!]).toBeGreaterThan(0)
        }
      }),
      { numRuns: 30, seed: 7 },
    )
  })

  test('a file that was cut off is refused', () => {
    const model = fit(
      sessionsOf([
        [0, 1, 2],
        [1, 2],
      ]),
    )
    const bytes = wholeFile(model.file())
    for (const length of [10, bytes.length >> 1, bytes.length - 1])
      expect(() => loadModel(bytes.slice(0, length))).toThrow(
        expect.objectContaining({ code: 'MODEL_FILE_CORRUPT' }),
      )
  })

  test('answers in a row do not change one another', () => {
    const model = fit(
      sessionsOf([
        [0, 1, 2],
        [1, 2, 3],
        [0, 3, 4],
        [4, 2],
      ]),
    )
    const first = model.recommend(visitor(0, 2), any)
    model.recommend(visitor(3, 1, 4), any)
    model.explain(visitor(1, 2), 3)
    expect(model.recommend(visitor(0, 2), any)).toEqual(first)
  })

  test('nothing to learn from, k of 0 and k beyond the catalogue are answered', () => {
    expect(fit(sessionsOf([])).recommend(visitor(0), any).items).toHaveLength(0)
    expect(fit(sessionsOf([[0]])).recommend(visitor(0), { k: 5 }).items).toHaveLength(0)
    const model = fit(sessionsOf([[0, 1, 2]]))
    expect(model.recommend(visitor(0), { k: 0 }).items).toHaveLength(0)
    expect(model.recommend(visitor(0), { k: 4_000_000_000 }).items).toHaveLength(2)
    expect(model.recommend(visitor(), { k: 5 }).items).toHaveLength(0)
    expect(model.recommend(visitor(77), { k: 5 }).items).toHaveLength(0)
  })
})

describe('vmis-knn', () => {
  // Item 0 is in sessions 0, 1, 2; 1 in 0, 1; 2 in 1, 2; 3 in 2, 3.
  const events = sessionsOf([[0, 1], [1, 0, 2], [2, 0, 3], [3]])
  const idf = (count: number) => Math.log(4 / count)

  test('matches its formula', () => {
    // Of the session 1, 0: r = (1 + 2) / 2 with sessions 0 and 1, 2 / 2 with 2; the newest common item is the last of each.
    const scores = scoresOf(fitVmisKnn(events).recommend(visitor(1, 0), any))
    expect(scores[0]).toBeCloseTo(0.9 * (1.5 + 1.5 + 1) * idf(3), 5)
    expect(scores[1]).toBeCloseTo(0.9 * (1.5 + 1.5) * idf(2), 5)
    expect(scores[2]).toBeCloseTo(0.9 * (1.5 + 1) * idf(2), 5)
    expect(scores[3]).toBeCloseTo(0.9 * 1 * idf(2), 5)
  })

  test('weighs a neighbour by the newest item in common', () => {
    // Session 3 shares with 3, 1 only the older item: λ = 0.8, r = 1 / 2.
    expect(scoresOf(fitVmisKnn(events).recommend(visitor(3, 1), any))[3]).toBeCloseTo(
      0.8 * (0.5 + 0.5) * idf(2),
      5,
    )
  })

  test('compares the newest sessions only, and takes the newest of equals', () => {
    const newest = fitVmisKnn(events, { sampleSize: 2 }).recommend(visitor(0), any)
    expect([...newest.items].sort()).toEqual([0, 1, 2, 3])
    expect(Object.keys(scoresOf(fitVmisKnn(events, { sampleSize: 1 }).recommend(visitor(0), any)))).toEqual([
      '0',
      '2',
      '3',
    ])
    const one = fitVmisKnn(events, { neighbourCount: 1 }).recommend(visitor(0), any)
    expect([...one.items].sort()).toEqual([0, 2, 3])
  })

  test('counts the newest events of the session only', () => {
    const model = fitVmisKnn(events, { historyCount: 1 })
    expect(model.recommend(visitor(1, 3), any)).toEqual(model.recommend(visitor(3), any))
  })
})

describe('vstan', () => {
  const events = sessionsOf([
    [0, 1, 2],
    [2, 3, 0, 1],
  ])
  const options = {
    sessionPositionDecay: 2,
    sessionAgeDecayDays: 5,
    itemDistanceDecay: 3,
    matchPositionDecay: 4,
    idfWeight: 2,
  }
  const e = Math.exp

  test('matches its formula', () => {
    const scores = scoresOf(fitVstan(events, options).recommend(visitor(0, 2), any))
    // Both sessions have 0 (place 1) and 2 (place 0); session 0 is a day older.
    const older = ((e(-1 / 2) + 1) / Math.sqrt(3)) * e(-1 / 5)
    const newer = (e(-1 / 2) + 1) / Math.sqrt(4)
    // The last common item is 2 at place 2 of the older, 0 at place 2 of the newer.
    expect(scores[1]).toBeCloseTo(older * e(-1 / 3) + newer * e(-1 / 3), 5)
    expect(scores[0]).toBeCloseTo(older * e(-2 / 3) + newer, 5)
    expect(scores[3]).toBeCloseTo(newer * e(-1 / 3) * (1 + 2 * Math.log(2)), 5)
  })

  test('weighs by the newest item in common', () => {
    const scores = scoresOf(fitVstan(events, options).recommend(visitor(3, 9), any))
    const alone = scoresOf(fitVstan(events, options).recommend(visitor(3), any))
    expect(scores[0]).toBeCloseTo(alone[0]!, 5)
    const behind = scoresOf(fitVstan(sessionsOf([[0, 1], [2]]), options).recommend(visitor(0, 2), any))
    const first = scoresOf(fitVstan(sessionsOf([[0, 1]]), options).recommend(visitor(0), any))
    // Place 1: e^(−1/2) of the similarity, e^(−1/4) of the match, a day behind session 1, and ln 2 of the frequency.
    expect(behind[1]).toBeCloseTo(first[1]! * e(-1 / 2) * e(-1 / 4) * e(-1 / 5) * (1 + 2 * Math.log(2)), 5)
  })

  test('sessions of any age give answers, as only their differences count', () => {
    const old = fitVstan(sessionsOf([[0, 1], ...Array.from({ length: 3_000 }, () => [2])]), {
      sessionAgeDecayDays: 5,
    })
    expect(old.recommend(visitor(0), { k: 1 }).scores[0]).toBeGreaterThan(0.1)
  })
})

describe('sequential rules', () => {
  test('match their formula', () => {
    const events = sessionsOf([
      [0, 1, 2],
      [0, 2],
    ])
    const model = fitSequentialRules(events)
    expect(scoresOf(model.recommend(visitor(0), any))).toEqual({ 1: 1, 2: 1.5 })
    expect(scoresOf(model.recommend(visitor(2), any))).toEqual({})
    // Only the last event counts, unless more are asked for: then at 1 / place.
    expect(scoresOf(model.recommend(visitor(0, 1), any))).toEqual({ 2: 1 })
    const wider = fitSequentialRules(events, { historyCount: 2 })
    expect(scoresOf(wider.recommend(visitor(0, 1), any))).toEqual({ 1: 0.5, 2: 1.75 })
    expect(scoresOf(fitSequentialRules(events, { steps: 1 }).recommend(visitor(0), any))).toEqual({
      1: 1,
      2: 1,
    })
  })
})

describe('item kNN of sessions', () => {
  test('matches its formula', () => {
    const model = fitSessionItemKnn(
      sessionsOf([
        [0, 1, 2],
        [0, 2],
      ]),
      {
        distanceDecay: 2,
        backwardWeight: 0.25,
        ageDecayDays: 4,
        regularisation: 1,
        balance: 0.3,
      },
    )
    const old = Math.exp(-1 / 4)
    const forward = (old * Math.exp(-1 / 2) + 1) / (3 ** 0.3 * 3 ** 0.7)
    expect(scoresOf(model.recommend(visitor(0), any))[2]).toBeCloseTo(forward, 5)
    expect(scoresOf(model.recommend(visitor(2), any))[0]).toBeCloseTo(forward / 4, 5)
    expect(scoresOf(model.recommend(visitor(1), any))[2]).toBeCloseTo(old / (2 ** 0.3 * 3 ** 0.7), 5)
  })
})

describe('blends', () => {
  test('divide each part by its best score', () => {
    const events = sessionsOf([
      [0, 1, 2],
      [0, 2],
    ])
    const rules = fitSequentialRules(events)
    const blend = new BlendModel([
      { model: rules, weight: 2 },
      { model: fitSessionModel({ kind: 'popular', options: {} }, events), weight: 0.5 },
    ])
    const { 1: one, 2: two } = scoresOf(blend.recommend(visitor(0), { k: 5 }))
    expect(one).toBeCloseTo(2 / 1.5 + 0.5 / 2, 5)
    expect(two).toBeCloseTo(2 + 0.5, 5)
    expect(blend.explain(visitor(0), 2)[0]).toBeCloseTo(2, 5)
  })

  test.each([
    ['no part', []],
    ['a weight of 0', [{ weight: 0, model: fitVstan(sessionsOf([[0]])) }]],
    [
      'parts of different catalogues',
      [
        { weight: 1, model: fitVstan(sessionsOf([[0]])) },
        { weight: 1, model: fitVstan(sessionsOf([[0, 1]])) },
      ],
    ],
  ])('of %s are refused', (_, parts) => {
    expect(() => new BlendModel(parts)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })
})

describe('input', () => {
  const good = sessionsOf([
    [0, 1],
    [1, 2],
  ])
  test.each([
    ['lengths that differ', { ...good, items: new Uint32Array(3) }],
    ['a session out of range', { ...good, sessionCount: 1 }],
    ['an item out of range', { ...good, itemCount: 2 }],
    ['a time that is NaN', { ...good, timesMs: new Float64Array(4).fill(Number.NaN) }],
    ['a weight of 0', { ...good, weights: new Float32Array(4) }],
  ])('of %s is refused', (_, events) => {
    for (const fit of [fitVmisKnn, fitVstan, fitSequentialRules, fitSessionItemKnn])
      expect(() => fit(events)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })

  test('options out of range are refused by name', () => {
    expect(() => fitVmisKnn(good, { neighbourCount: 0 })).toThrow(/neighbourCount must be a whole number/)
    expect(() => fitVstan(good, { historyCount: 300 })).toThrow(/historyCount .* 256/)
    expect(() => fitVstan(good, { itemDistanceDecay: Number.NaN })).toThrow(/itemDistanceDecay/)
    expect(() => fitSequentialRules(good, { steps: 1.5 })).toThrow(/steps/)
    expect(() => fitSessionItemKnn(good, { balance: -1 })).toThrow(/balance/)
  })

  test('events count in order of time, whatever the order they come in; heavier ones more', () => {
    const shuffled: SessionEvents = {
      sessionCount: 1,
      itemCount: 3,
      sessions: Uint32Array.of(0, 0, 0),
      items: Uint32Array.of(2, 0, 1),
      timesMs: Float64Array.of(3, 1, 2),
      weights: Float32Array.of(4, 1, 1),
    }
    expect(scoresOf(fitSequentialRules(shuffled).recommend(visitor(0), any))).toEqual({ 1: 1, 2: 2 })
    const { 1: light, 2: heavy } = scoresOf(fitVmisKnn(shuffled).recommend(visitor(0), any))
    expect(heavy).toBeCloseTo(4 * light!, 5)
  })

  test('of a session longer than 256 events the newest count', () => {
    const long = sessionsOf([Array.from({ length: 300 }, (_, n) => n)])
    const model = fitVmisKnn(long)
    expect(model.recommend(visitor(43), { k: 300 }).items).toHaveLength(0)
    expect(model.recommend(visitor(44), { k: 300 }).items).toHaveLength(255)
  })

  test('a fit stops when told to, and tells how far it is', () => {
    const signal = AbortSignal.abort()
    for (const fit of [fitVmisKnn, fitVstan, fitSequentialRules, fitSessionItemKnn]) {
      expect(() => fit(good, {}, { signal })).toThrow()
      const progress: number[] = []
      fit(good, {}, { onProgress: (fraction) => progress.push(fraction) })
      expect(progress.at(-1)).toBe(1)
    }
  })

  test('sessions of one time are told apart by index, the higher the newer', () => {
    const twins: SessionEvents = {
      ...sessionsOf([
        [0, 1],
        [0, 2],
      ]),
      timesMs: new Float64Array(4).fill(DAY_MS),
    }
    const { items } = fitVmisKnn(twins, { neighbourCount: 1 }).recommend(visitor(0), { k: 5 })
    expect([...items]).toEqual([2])
  })
})
