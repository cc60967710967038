import { describe, expect, test } from 'vitest'
import { evaluate, loadModel, type Model, timeSplit, type UserItems, wholeFile } from '../src/index.ts'
import { EVERY, PERSONAL } from './every-model.ts'
import { blocks, from, SIZE, user } from './matrices.ts'

const weighted = (items: readonly number[], weights: readonly number[]): UserItems => ({
  items: Uint32Array.from(items),
  weights: Float32Array.from(weights),
})

/** Models fitted on what has no weights. */
const WITHOUT_WEIGHTS = new Set(['content', 'bought-together', 'next-basket'])
/** Models of which a session is events, not weights. */
const OF_SESSIONS = new Set(['vmis-knn', 'vstan', 'sequential-rules', 'session-item-knn'])
/** A session's neighbours are found by what the session has; a dislike is left out. A blend is relative to its best. */
const IGNORE_DISLIKES = new Set(['vmis-knn', 'vstan', 'next-basket', 'blend'])

/** Its answers to whatever may be asked, which must be sound. */
function expectSound(model: Model, own: UserItems): void {
  for (const k of [3, 1e15, Number.POSITIVE_INFINITY, Number.NaN, -1, 2.5, 0]) {
    for (const answer of [model.recommend(own, { k }), model.similar(own.items[0] ?? 0, { k })]) {
      const { items, scores } = answer
      expect(items).toHaveLength(scores.length)
      expect(new Set(items).size).toBe(items.length)
      expect(items.every((item) => item < model.itemCount)).toBe(true)
      expect(scores.every((score) => score > 0 && Number.isFinite(score))).toBe(true)
      if (k < model.itemCount) expect(items.length).toBeLessThanOrEqual(Math.max(0, k))
      if (!(k >= 1)) expect(items).toHaveLength(0)
    }
  }
  const asked = Uint32Array.of(0, 2 ** 32 - 1, model.itemCount)
  for (const item of asked) {
    const parts = model.explain(own, item)
    expect(parts).toHaveLength(own.items.length)
    expect(parts.every(Number.isFinite)).toBe(true)
  }
  const reasons = model.reasons(own, asked)
  expect([...reasons.subarray(1)]).toEqual([-1, -1])
  expect(reasons[0]).toBeLessThan(own.items.length)
}

describe.each(Object.entries(EVERY))('%s', (name, fit) => {
  const knowsWeights = !WITHOUT_WEIGHTS.has(name)

  test.each([
    ['nothing', { ...from([]), userCount: 0, itemCount: 0 }],
    ['users and items, but no interactions', { ...from([]), userCount: 3, itemCount: 5 }],
    ['one user with one item', from([[0, 0]])],
    [
      'one user with several',
      from([
        [0, 0],
        [0, 1],
        [0, 2],
      ]),
    ],
    [
      'several users with the same item',
      from([
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
    ],
    [
      'items nobody has',
      {
        ...from([
          [0, 0],
          [1, 1],
        ]),
        itemCount: 40,
      },
    ],
    ['the same again and again', from(Array.from({ length: 50 }, () => [0, 0, 5] as const))],
  ])('answers when it was fitted on %s', (_, data) => {
    const model = fit(data)
    for (const own of [user(), user(0), user(0, 1), user(9_999)]) expectSound(model, own)
    expectSound(loadModel(wholeFile(model.file())), user(0))
    expect(evaluate(model, timeSplit(data), 3).metrics['ndcg@3']).toBeGreaterThanOrEqual(0)
  })

  test('answers whatever weights a user has', () => {
    const model = fit(blocks())
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
    for (const weights of [
      [nan, 1],
      [infinity, 1],
      [-infinity, nan],
      [0, 0],
      [-1, -1],
      [1, -1],
      [1e38, -1e38],
    ])
      expectSound(model, weighted([0, 1], weights))
    expectSound(model, weighted([0, 1, 2], [1]))
    // The one that is no number does not count, and the next answer is as ever.
    expect(
      model.recommend(weighted([0, 20], [1, nan]), { k: 5, filter: (item) => item < SIZE && item > 0 }),
    ).toEqual(model.recommend(weighted([0], [1]), { k: 5, filter: (item) => item < SIZE && item > 0 }))
  })

  test.runIf(knowsWeights).each([
    ['NaN', Number.NaN],
    ['infinite', Number.NEGATIVE_INFINITY],
    ['too large for sums', 1e30],
  ])('refuses to be fitted on a weight that is %s', (_, weight) => {
    const data = { ...blocks(), weights: new Float32Array(blocks().items.length).fill(weight) }
    expect(() => fit(data)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })

  test.each([
    ['a user out of range', { ...blocks(), userCount: 2 }],
    ['an item out of range', { ...blocks(), itemCount: 2 }],
    [
      'a time that is NaN',
      { ...blocks(), timesMs: new Float64Array(blocks().items.length).fill(Number.NaN) },
    ],
    ['arrays of different lengths', { ...blocks(), timesMs: new Float64Array(3) }],
  ])('refuses to be fitted on %s', (_, data) => {
    if (name === 'content') return
    expect(() => fit(data)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })

  test('a file that is cut off anywhere is refused', () => {
    const bytes = wholeFile(fit(blocks()).file())
    for (const share of [0, 0.001, 0.01, 0.3, 0.7, 0.999])
      expect(() => loadModel(bytes.subarray(0, Math.floor(bytes.length * share)))).toThrow(
        expect.objectContaining({ code: 'MODEL_FILE_CORRUPT' }),
      )
    expect(() => loadModel(bytes.slice(1))).toThrow(expect.objectContaining({ code: 'MODEL_FILE_CORRUPT' }))
  })
})

describe.each(Object.entries(EVERY))('%s', (name, fit) => {
  const isOfSessions = OF_SESSIONS.has(name)

  test.skipIf(WITHOUT_WEIGHTS.has(name))(
    'what was taken back counts as never done; models of sessions refuse it',
    () => {
      const data = blocks()
      const likes = (
        extra: readonly (readonly [user: number, item: number, time: number, weight: number])[],
      ) => {
        const more = from(extra)
        return {
          ...data,
          users: Uint32Array.of(...data.users, ...more.users),
          items: Uint32Array.of(...data.items, ...more.items),
          weights: Float32Array.of(...data.weights, ...more.weights),
          timesMs: Float64Array.of(...data.timesMs, ...more.timesMs),
        }
      }
      // Item 0 is not among those of user 0, who puts it into the cart and out again, and dislikes 20.
      const withdrawn = likes([
        [0, 0, 0, 4],
        [0, 0, 0, -4],
        [0, 20, 0, -1],
      ])
      if (isOfSessions)
        return expect(() => fit(withdrawn)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
      const model = fit(withdrawn)
      if (name !== 'trending') return expect(model.file()).toEqual(fit(data).file())
      const scoreOf = (one: Model, item: number) => {
        const { items, scores } = one.recommend(user(), { k: 50 })
        return scores[items.indexOf(item)]
      }
      expect(scoreOf(model, 20)).toBe(scoreOf(fit(data), 20)! - 1)
    },
  )
})

describe.each(Object.entries(PERSONAL))('%s', (name, fit) => {
  test('what a user dislikes lowers what is like it', () => {
    const model = fit(blocks())
    const likes = (items: number[], weights: number[]) => {
      const { items: found, scores } = model.recommend(weighted(items, weights), { k: 50 })
      const at = found.indexOf(5)
      return at < 0 ? 0 : scores[at]!
    }
    const [liked, both, ignored] = [likes([0, 1], [1, 1]), likes([0, 1], [1, -1]), likes([0], [1])]
    expect(both).toBeLessThanOrEqual(ignored * 1.000_001)
    if (!IGNORE_DISLIKES.has(name)) expect(both).toBeLessThan(Math.min(liked, ignored) + 1e-9)
    expect(likes([1], [-1])).toBe(0)
  })
})
