import { describe, expect, test } from 'vitest'
import {
  evaluate,
  fitChoice,
  fitPopular,
  fitterOf,
  fitWalk,
  lastOfEachSplit,
  leaveLastOutSplit,
  meanWithInterval,
  pairedDifference,
  rankMetrics,
  timeSplit,
  tune,
  validationSplit,
} from '../src/index.ts'
import { blocks, from } from './matrices.ts'

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
    const { metrics, byUser } = evaluate(fitPopular(train), { train, test: wanted }, 2)
    expect(metrics['novelty@2']).toBeCloseTo((-Math.log2(3 / 4) - Math.log2(1 / 4)) / 2, 6)
    expect(metrics['popularity@2']).toBeCloseTo(2, 6)
    expect([...byUser['ndcg@2']!]).toEqual([1 / Math.log2(3)])
    expect(meanWithInterval(Float64Array.of(1, 2, 3, 4)).mean).toBe(2.5)
    // Student's t of three degrees of freedom, 3.1824.
    const half = (3.182446 * Math.sqrt(5 / 3)) / 2
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
    expect(pairedDifference(walk.byUser['ndcg@5']!, popular.byUser['ndcg@5']!).low).toBeGreaterThan(0)
    const none = pairedDifference(walk.byUser['ndcg@5']!, walk.byUser['ndcg@5']!)
    expect(none).toEqual({ mean: 0, low: 0, high: 0, p: 1 })
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
    expect([...leaveLastOutSplit(pairs([9, 5, 1, 2, 3])).test.items]).toEqual([0])
    expect(leaveLastOutSplit(from([[0, 7]])).train.users).toHaveLength(1)
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

  test('tries every kind but SLIM, and takes what ranks best on the validation data', () => {
    const split = lastOfEachSplit(blocks())
    const tuned = tune(split, { k: 5, trialsMax: 12 })
    const kinds = ['als', 'ease', 'item-knn', 'low-pass', 'popular', 'walk']
    expect(tune(split, { k: 5, kinds: ['popular', 'slim'] }).choice.kind).not.toBe('popular')
    expect([...new Set(tuned.tried.map(({ choice }) => choice.kind))].sort()).toEqual(kinds)
    expect(tuned.choice.kind).not.toBe('popular')
    expect(tuned.score).toBeGreaterThanOrEqual(Math.max(...tuned.best.map(({ score }) => score)))
    const { metrics } = evaluate(fitChoice(tuned.choice, split.train), split, 5)
    expect((metrics['ndcg@5']! + metrics['recall@5']!) / 2).toBeCloseTo(tuned.score, 6)
    expect(tune(split, { k: 5, trialsMax: 12 })).toEqual(tuned)
  })

  test('a part that choices have in common is fitted once, and answers as it does by itself', () => {
    const data = blocks()
    const walk = { kind: 'walk', options: { endExponent: 0.3 } } as const
    const blend = {
      kind: 'blend',
      recencyExponent: 1,
      parts: [
        { choice: walk, weight: 1 },
        { choice: { kind: 'popular', options: {} }, weight: 0.1 },
      ],
    } as const
    const fit = fitterOf(data)
    expect(fit(blend).file()).toEqual(fitChoice(blend, data).file())
    expect(fit(walk)).toBe(fit({ ...walk, options: { ...walk.options } }))
    expect(fit(walk)).not.toBe(fit({ ...walk, options: { endExponent: 0.5 } }))
    let calls = 0
    const counted = fitterOf(data, { onProgress: () => calls++ })
    counted(walk)
    calls = 0
    counted(blend)
    const ofBlendAlone = calls
    calls = 0
    fitterOf(data, { onProgress: () => calls++ })(blend)
    expect(ofBlendAlone).toBeLessThan(calls)
  })

  test('keeps to its budget, and stops when told to', () => {
    const split = lastOfEachSplit(blocks())
    expect(tune(split, { k: 5, kinds: ['popular', 'ease'] }).best.map(({ choice }) => choice.kind)).toEqual([
      'ease',
      'popular',
    ])
    const { tried } = tune(split, { k: 5, fitSecondsMax: 0 })
    expect(new Set(tried.map(({ choice }) => choice.kind))).toEqual(new Set(['popular', 'walk']))
    expect(() => tune(split, { k: 5, signal: AbortSignal.abort() })).toThrow()
  })

  test('without anybody to judge by it answers all the same', () => {
    const empty = { ...from([]), userCount: 0, itemCount: 0 }
    expect(tune({ train: empty, test: empty }, { k: 5 }).score).toBe(0)
  })
})
