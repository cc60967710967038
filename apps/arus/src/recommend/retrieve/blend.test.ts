import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blend, type Retrieved } from './blend.ts'

const brought = (retriever: string, weight: number, scores: Readonly<Record<string, number>>): Retrieved => ({
  retriever,
  weight,
  reason: retriever === 'content' ? 'similar' : 'because_of',
  candidates: Object.entries(scores).map(([product_id, score]) => ({
    product_id,
    score,
    retriever,
    because_of: retriever,
  })),
})

test('adds what each retriever says, scaled to its best and its weight', () => {
  const blended = blend([brought('walk', 1, { a: 50, b: 25 }), brought('content', 0.5, { b: 2, c: 1 })])
  expect(blended.map(({ product_id, score, reason }) => [product_id, score, reason])).toEqual([
    ['a', 1, 'because_of'],
    ['b', 1, 'because_of'],
    ['c', 0.25, 'similar'],
  ])
})

test('goes by place where scores say nothing', () => {
  expect(blend([brought('walk', 1, { a: 0, b: 0 })]).map(({ score }) => score)).toEqual([1, 0.5])
})

test('is in order, without duplicates, and does not depend on the order of retrievers', () => {
  const scores = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 2 }),
    fc.double({ min: 0.01, max: 100, noNaN: true }),
  )
  fc.assert(
    fc.property(scores, scores, (first, second) => {
      const sources = [brought('walk', 1, first), brought('content', 0.5, second)]
      const blended = blend(sources)
      expect(new Set(blended.map(({ product_id }) => product_id)).size).toBe(blended.length)
      expect(blended.map(({ score }) => score)).toEqual(
        blended.map(({ score }) => score).toSorted((a, b) => b - a),
      )
      const scoreOf = new Map(blend(sources.toReversed()).map(({ product_id, score }) => [product_id, score]))
      for (const { product_id, score } of blended) expect(scoreOf.get(product_id)).toBeCloseTo(score, 9)
    }),
  )
})
