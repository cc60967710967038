import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  evaluate,
  type FitSignal,
  fitAls,
  fitEase,
  fitItemKnn,
  fitLowPass,
  fitPopular,
  fitSlim,
  fitTrending,
  fitWalk,
  IdTable,
  type Interactions,
  loadModel,
  type Model,
  readModelFile,
  TopK,
  timeSplit,
  wholeFile,
} from '../src/index.ts'
import { PERSONAL } from './every-model.ts'
import { blocks, from, GROUPS, SIZE, user } from './matrices.ts'

const stepwise: Readonly<Record<string, (data: Interactions, signal: FitSignal) => Model>> = {
  walk: (data, signal) => fitWalk(data, {}, signal),
  'low-pass': (data, signal) => fitLowPass(data, { rank: GROUPS }, signal),
  iALS: (data, signal) => fitAls(data, {}, signal),
  'item kNN': (data, signal) => fitItemKnn(data, {}, signal),
  EASE: (data, signal) => fitEase(data, {}, signal),
  SLIM: (data, signal) => fitSlim(data, {}, signal),
  'EASE by local ridges': (data, signal) => fitEase(data, { denseItemsMax: 0 }, signal),
}

describe.each(Object.entries(PERSONAL))('%s', (_, fit) => {
  const data = blocks()
  const model = fit(data)
  const past = (u: number) => user(...data.items.filter((__, n) => data.users[n] === u))

  test('finds the item withheld from each user first', () => {
    for (let u = 0; u < data.userCount; u++)
      expect(model.recommend(past(u), { k: 1 }).items[0]).toBe(data.withheld[u])
  })

  test('gives the same again after saving and loading', () => {
    const loaded = loadModel(wholeFile(model.file()))
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

  test('the reason of an item is what explains most of it', () => {
    const own = user(20, 9_999, 3, 0, 7)
    const items = Uint32Array.from({ length: data.itemCount + 1 }, (_, n) => n)
    for (const [n, reason] of model.reasons(own, items).entries()) {
      const parts = n < data.itemCount ? model.explain(own, n) : new Float32Array(own.items.length)
      const most = Math.max(...parts)
      // A blend names the reason of its weightiest part, to save asking all.
      if (model.kind === 'blend') expect(reason).toBeLessThan(own.items.length)
      else if (most > 0) expect(parts[reason]).toBeCloseTo(most, 6)
      else expect(reason).toBe(-1)
    }
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
    expect(fit(blocks(), {}).file()).toEqual(fit(blocks(), {}).file())
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
        const table = IdTable.load(wholeFile(IdTable.of(ids).file()))
        expect(table.size).toBe(new Set(ids).size)
        for (const id of ids) expect(table.idOf(table.indexOf(id))).toBe(id)
        expect(table.indexOf('\u{1F600} not there')).toBe(-1)
      }),
    )
  })

  test('a file that is cut or changed anywhere is refused', () => {
    const bytes = wholeFile(fitWalk(blocks()).file())
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
      for (const fit of [
        fitWalk,
        fitItemKnn,
        fitAls,
        fitEase,
        fitSlim,
        fitLowPass,
        fitPopular,
        fitTrending,
      ]) {
        const model = fit(data)
        expect(model.recommend(user(0), { k: 3 }).items.length).toBe(0)
        expect(evaluate(model, timeSplit(data), 3).metrics['ndcg@3']).toBe(0)
      }
    }
  })
})
