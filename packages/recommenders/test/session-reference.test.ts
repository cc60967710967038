import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitVmisKnn, fitVstan } from '../src/index.ts'
import { selectFirst } from '../src/sessions/select-first.ts'
import { scoresOf, sessionsOf, visitor } from './session-examples.ts'

/** The formulas of `vmis-knn.ts` and `vstan.ts` as they stand there, over lists and maps: what the engine is held to. */
interface Reference {
  readonly neighbourCount: number
  readonly sampleSize: number
  readonly historyCount: number
  readonly similarityAt: (place: number, length: number) => number
  readonly sessionFactor: (distinctItems: number, age: number) => number
  readonly itemWeight: (items: readonly number[], item: number, lastCommon: number) => number
  readonly matchAt: (place: number) => number
  readonly itemFactor: (idf: number) => number
}

function referenceScores(lists: readonly (readonly number[])[], session: readonly number[], by: Reference) {
  const past = lists
    .map((items, day) => ({ items, age: lists.length - 1 - day }))
    .filter(({ items }) => items.length > 0)
  const withItem = (item: number) => past.filter(({ items }) => items.includes(item)).length
  const history = session.filter((item) => withItem(item) > 0).slice(-by.historyCount)
  /** Newest place of each own item, the newest first. */
  const places = new Map<number, number>()
  for (const [place, item] of history.toReversed().entries()) if (!places.has(item)) places.set(item, place)
  const neighbours = past
    .filter(({ items }) => items.some((item) => places.has(item)))
    .sort((a, b) => a.age - b.age)
    .slice(0, by.sampleSize)
    .map(({ items, age }) => {
      const common = [...places].filter(([item]) => items.includes(item))
      const shared = common.reduce((sum, [, place]) => sum + by.similarityAt(place, history.length), 0)
      return { items, common, similarity: shared * by.sessionFactor(new Set(items).size, age) }
    })
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, by.neighbourCount)
  const scores = new Map<number, number>()
  for (const { items, common, similarity } of neighbours) {
    const lastCommon = items.findLastIndex((item) => places.has(item))
    const match = by.matchAt(Math.min(...common.map(([, place]) => place)))
    for (const item of new Set(items)) {
      const added = similarity * match * by.itemWeight(items, item, lastCommon)
      scores.set(
        item,
        (scores.get(item) ?? 0) + added * by.itemFactor(Math.log(past.length / withItem(item))),
      )
    }
  }
  return new Map([...scores].filter(([, score]) => score > 0))
}

/** Divided by the greatest, since a factor of all scores is free. */
function normalised(scores: ReadonlyMap<number, number>): Map<number, number> {
  const most = Math.max(...scores.values())
  return new Map([...scores].map(([item, score]) => [item, score / most]))
}

function expectSame(
  answer: { readonly items: Uint32Array; readonly scores: Float32Array },
  scores: ReadonlyMap<number, number>,
): void {
  const found = new Map(Object.entries(scoresOf(answer)).map(([item, score]) => [Number(item), score]))
  const [ours, theirs] = [normalised(found), normalised(scores)]
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort())
  for (const [item, score] of theirs) expect(ours.get(item)).toBeCloseTo(score, 4)
}

const lists = fc.array(fc.array(fc.nat({ max: 8 }), { maxLength: 7 }), { maxLength: 15 })
const session = fc.array(fc.nat({ max: 10 }), { maxLength: 12 })
const sizes = fc.record({
  neighbourCount: fc.integer({ min: 1, max: 6 }),
  sampleSize: fc.integer({ min: 1, max: 9 }),
  historyCount: fc.integer({ min: 1, max: 9 }),
})
const all = { k: 100, filter: () => true }
const runs = { numRuns: 200, seed: 3 }

test('VMIS-kNN scores as its formula does, of any sessions', () => {
  fc.assert(
    fc.property(lists, session, sizes, fc.constantFrom(0, 1), (past, own, options, idfWeight) => {
      const model = fitVmisKnn(sessionsOf(past, 9), { ...options, idfWeight })
      const expected = referenceScores(past, own, {
        ...options,
        similarityAt: (place, length) => (length - place) / length,
        sessionFactor: () => 1,
        itemWeight: () => 1,
        matchAt: (place) => Math.max(0, 1 - 0.1 * (place + 1)),
        itemFactor: (idf) => (idf * idfWeight > 0 ? idf : 1),
      })
      expectSame(model.recommend(visitor(...own), all), expected)
    }),
    runs,
  )
})

test('VSTAN scores as its formula does, of any sessions', () => {
  const decay = fc.constantFrom(0.5, 1, 3, 1e6)
  fc.assert(
    fc.property(lists, session, sizes, decay, decay, decay, (past, own, options, snh, inh, ipw) => {
      const model = fitVstan(sessionsOf(past, 9), {
        ...options,
        sessionPositionDecay: 1.7,
        sessionAgeDecayDays: snh * 3,
        itemDistanceDecay: inh,
        matchPositionDecay: ipw,
        idfWeight: 2,
      })
      const expected = referenceScores(past, own, {
        ...options,
        similarityAt: (place) => Math.exp(-place / 1.7),
        sessionFactor: (distinctItems, age) => Math.exp(-age / (snh * 3)) / Math.sqrt(distinctItems),
        itemWeight: (items, item, lastCommon) =>
          Math.exp(-Math.abs(items.lastIndexOf(item) - lastCommon) / inh),
        matchAt: (place) => Math.exp(-place / ipw),
        itemFactor: (idf) => 1 + 2 * idf,
      })
      expectSame(model.recommend(visitor(...own), all), expected)
    }),
    runs,
  )
})

test('the first of an array are those a full sort gives', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 500 })), fc.nat({ max: 100 }), (values, count) => {
      const array = Uint32Array.from(values)
      const kept = Math.min(count, values.length)
      selectFirst(array, array.length, kept, (a, b) => a < b)
      expect([...array.subarray(0, kept)].sort((a, b) => a - b)).toEqual(
        values.sort((a, b) => a - b).slice(0, kept),
      )
    }),
  )
})
