import { describe, expect, test } from 'vitest'
import {
  evaluateSessions,
  fitSequentialRules,
  fitSessionModel,
  fitVstan,
  isSurelyBetter,
  lastDaySplit,
  type Model,
  pairedDifference,
  type SessionEvents,
  type SessionModelSpec,
  sessionDifference,
  sessionSplit,
  tuneSessions,
} from '../src/index.ts'
import { seededRandom } from '../src/seeded-random.ts'
import { sessionsOf, visitor } from './session-examples.ts'

/** Walks on a circle of items, most of them one step on: what comes next is known, what is popular says little. */
function circle(sessionCount: number, itemCount = 30): SessionEvents {
  const random = seededRandom(5)
  const lists = Array.from({ length: sessionCount }, () => {
    let item = Math.floor(random() * itemCount)
    return Array.from({ length: 2 + Math.floor(random() * 4) }, () => {
      item = (item + (random() < 0.8 ? 1 : 2)) % itemCount
      return item
    })
  })
  return sessionsOf(lists, itemCount)
}

describe('session splits', () => {
  test('whole sessions are split by the end of each', () => {
    const split = sessionSplit(sessionsOf([[0, 1], [1], [2, 3], [3, 0], [1, 2], [2, 0]]), 0.4)
    expect(split.train.sessionCount).toBe(4)
    expect([...split.train.items]).toEqual([0, 1, 1, 2, 3, 3, 0])
    expect([...split.test.items]).toEqual([1, 2, 2, 0])
    expect([...split.test.sessions]).toEqual([0, 0, 1, 1])
    expect(split.test.itemCount).toBe(4)
  })

  test('the last day is the test where it is a fair share', () => {
    const days = sessionsOf(Array.from({ length: 20 }, () => [0, 1]))
    expect(lastDaySplit(days).test.sessionCount).toBe(1)
    const hours = { ...days, timesMs: days.timesMs.map((timeMs) => timeMs / 24) }
    expect(lastDaySplit(hours).test.sessionCount).toBe(4)
    expect(lastDaySplit(sessionsOf([])).test.sessionCount).toBe(0)
  })
})

describe('session evaluation', () => {
  const ranking = (...items: number[]): Model =>
    ({
      recommend: (_: unknown, { k }: { k: number }) => ({
        items: Uint32Array.from(items.slice(0, k)),
        scores: Float32Array.from(items.slice(0, k), (__, n) => 1 - n / 10),
      }),
    }) as unknown as Model

  test('metrics by hand: each prefix predicts, items never trained on are left out', () => {
    const split = {
      train: sessionsOf([[0, 1, 2, 3]], 5),
      test: sessionsOf(
        [
          [0, 4, 1, 2],
          [3, 4],
        ],
        5,
      ),
    }
    const { metrics, predictionCount, reciprocalRanks } = evaluateSessions(ranking(3, 1, 2), split, { k: 3 })
    // Of 0, 1, 2: after 0 the next is 1 and the rest 1, 2; after 1 the next is 2.
    expect(predictionCount).toBe(2)
    expect([...reciprocalRanks]).toEqual([1 / 2, 1 / 3])
    expect(metrics['hit_rate@3']).toBe(1)
    expect(metrics['mrr@3']).toBeCloseTo((1 / 2 + 1 / 3) / 2)
    expect(metrics['recall@3']).toBe(1)
    const dcg = (...places: number[]) => places.reduce((sum, place) => sum + 1 / Math.log2(place + 1), 0)
    expect(metrics['ndcg@3']).toBeCloseTo((dcg(2, 3) / dcg(1, 2) + dcg(3)) / 2)
    expect(metrics['map@3']).toBeCloseTo(((1 / 2 + 2 / 3) / 2 + 1 / 3) / 2)
    expect(metrics['coverage@3']).toBe(3 / 4)
  })

  test('an item may come again, and a list may be short', () => {
    const split = { train: sessionsOf([[0, 1]]), test: sessionsOf([[0, 0, 1]]) }
    const { metrics } = evaluateSessions(ranking(0), split, { k: 20 })
    expect(metrics['hit_rate@20']).toBe(0.5)
    expect(metrics['recall@20']).toBe(0.25)
  })

  test('where repeats are left out, the session’s items are neither asked for nor recommended', () => {
    const split = { train: sessionsOf([[0, 1, 2]]), test: sessionsOf([[0, 0, 1, 0, 2]]) }
    const counted = evaluateSessions(fitSequentialRules(split.train), split, { k: 20 })
    const leftOut = evaluateSessions(fitSequentialRules(split.train), split, { k: 20, repeats: 'left out' })
    expect([...counted.reciprocalRanks]).toEqual([0, 1, 0, 1 / 2])
    expect(leftOut.predictionCount).toBe(2)
    expect([...leftOut.reciprocalRanks]).toEqual([1, 1])
    expect(leftOut.metrics['recall@20']).toBe(1)
    expect([...leftOut.sessions]).toEqual([0, 0])
  })

  test('a difference is sure only where sessions, not predictions, say so', () => {
    const answers = (...ranks: number[]) => ({
      reciprocalRanks: Float64Array.from(ranks),
      sessions: Uint32Array.from(ranks, (_, n) => Math.floor(n / 4)),
    })
    const without = answers(...Array(40).fill(0.25))
    const oneSession = answers(...Array(4).fill(1), ...Array(36).fill(0.25))
    const mostSessions = answers(...Array(20).fill(1), ...Array(20).fill(0.25))
    expect(sessionDifference(oneSession, without).mrr.mean).toBeCloseTo(0.075)
    expect(isSurelyBetter(oneSession, without)).toBe(false)
    expect(isSurelyBetter(mostSessions, without)).toBe(true)
    expect(isSurelyBetter(without, without)).toBe(false)
    const higherButShorter = answers(...Array(20).fill(1), ...Array(20).fill(0))
    expect(isSurelyBetter(higherButShorter, without)).toBe(false)
  })

  test('predictions of one session are not independent: more of the same do not narrow the interval', () => {
    const train = sessionsOf([[0, 1]])
    const short = evaluateSessions(
      ranking(1),
      {
        train,
        test: sessionsOf([
          [0, 1],
          [1, 0],
        ]),
      },
      { k: 1 },
    )
    const long = evaluateSessions(
      ranking(1),
      {
        train,
        test: sessionsOf([
          [0, 1, 1, 1, 1],
          [1, 0, 0, 0, 0],
        ]),
      },
      { k: 1 },
    )
    expect(short.metrics['hit_rate@1']).toBe(0.5)
    expect(short.halfWidths['hit_rate@1']).toBeCloseTo((1.96 * Math.sqrt(0.5)) / 2)
    expect(long.halfWidths['hit_rate@1']).toBeCloseTo(short.halfWidths['hit_rate@1']!)
  })

  test('a model of order beats popular on a circle, significantly; no test sessions give zeros', () => {
    const split = sessionSplit(circle(400))
    const rules = evaluateSessions(fitSequentialRules(split.train), split, { k: 5 })
    const popular = evaluateSessions(fitSessionModel({ kind: 'popular', options: {} }, split.train), split, {
      k: 5,
      sessionLimit: 1_000,
    })
    expect(pairedDifference(rules.reciprocalRanks, popular.reciprocalRanks).low).toBeGreaterThan(0.3)
    const none = evaluateSessions(fitVstan(split.train), { ...split, test: sessionsOf([]) }, { k: 5 })
    expect(none.metrics['hit_rate@5']).toBe(0)
    expect(none.halfWidths['mrr@5']).toBe(0)
  })

  test('stops when told to', () => {
    const split = sessionSplit(circle(50))
    const options = { k: 5, signal: AbortSignal.abort() }
    expect(() => evaluateSessions(fitVstan(split.train), split, options)).toThrow()
  })
})

describe('tuning of session models', () => {
  const split = sessionSplit(circle(300))
  const options = { k: 5, trials: 12, refinements: 4 }
  const tuned = tuneSessions(split, options)

  test('tries every kind, and takes what ranks best on the validation data', () => {
    const kinds = new Set(tuned.best.map(({ spec }) => spec.kind))
    for (const kind of ['popular', 'trending', 'sequential-rules', 'session-item-knn', 'vmis-knn', 'vstan'])
      expect(kinds).toContain(kind)
    const objectives = tuned.tried.map(({ objective }) => objective)
    expect(objectives).toEqual(objectives.toSorted((a, b) => b - a))
    expect(tuned.choice).toBe(tuned.tried[0])
    expect(tuned.best[0]).toBe(tuned.choice)
    expect(tuned.choice.spec.kind).not.toBe('popular')
  })

  test('the figures told are those of the model told of', () => {
    for (const { spec, evaluation } of tuned.best) {
      const again = evaluateSessions(fitSessionModel(spec, split.train), split, { k: 5 })
      expect(again.metrics).toEqual(evaluation.metrics)
    }
  })

  test('the same comes out again, and a limit of time ends it with a choice', () => {
    expect(tuneSessions(split, options).choice.spec).toEqual(tuned.choice.spec)
    let time = 0
    const hurried = tuneSessions(split, { ...options, timeLimitMs: 3, now: () => time++ })
    expect(hurried.tried.length).toBeLessThan(tuned.tried.length)
    expect(hurried.choice.objective).toBeGreaterThan(0)
  })

  test('a choice can be fitted again and answers', () => {
    const spec: SessionModelSpec = tuned.choice.spec
    const model = fitSessionModel(JSON.parse(JSON.stringify(spec)) as SessionModelSpec, circle(300))
    expect(model.recommend(visitor(3, 4), { k: 1 }).items[0]).toBe(5)
  })

  test('with nothing to validate on the choice is what mostly ranks best', () => {
    const empty = { train: sessionsOf([[0, 1]]), test: sessionsOf([]) }
    expect(tuneSessions(empty, options).choice).toMatchObject({ objective: 0, spec: { kind: 'vstan' } })
  })
})
