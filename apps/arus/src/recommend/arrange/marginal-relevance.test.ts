import fc from 'fast-check'
import { expect, test } from 'vitest'
import { productNamed } from '../test-shop.ts'
import { MarginalRelevance, relevanceOf } from './marginal-relevance.ts'
import { productSimilarity } from './product-similarity.ts'

interface Item {
  readonly name: string
  readonly group: number
}

const sameGroup = (a: Item, b: Item) => (a.group === b.group ? 1 : 0)

function allOf(items: readonly Item[], lambda: number, relevance: readonly number[]): Item[] {
  const order = new MarginalRelevance(items, { lambda, relevance, similarity: sameGroup, above: [] })
  const given: Item[] = []
  for (let next = order.next(() => true); next !== null; next = order.next(() => true)) given.push(next.item)
  return given
}

const itemsArbitrary = fc
  .array(fc.record({ group: fc.nat(3), score: fc.double({ min: 0, max: 5, noNaN: true }) }), {
    maxLength: 15,
  })
  .map((all) =>
    all.sort((a, b) => b.score - a.score).map(({ group, score }, i) => ({ name: `i${i}`, group, score })),
  )

test('with lambda 1 the order stays; with any, each item is given once', () => {
  fc.assert(
    fc.property(itemsArbitrary, fc.double({ min: 0, max: 1, noNaN: true }), (items, lambda) => {
      const relevance = relevanceOf(items.map(({ score }) => score))
      expect(allOf(items, 1, relevance)).toEqual(items)
      expect(new Set(allOf(items, lambda, relevance))).toEqual(new Set(items))
    }),
  )
})

test('each item given is the best by the equation, written out', () => {
  fc.assert(
    fc.property(itemsArbitrary, fc.double({ min: 0, max: 1, noNaN: true }), (items, lambda) => {
      const relevance = relevanceOf(items.map(({ score }) => score))
      const given = allOf(items, lambda, relevance)
      for (const [place, item] of given.entries()) {
        const above = given.slice(0, place)
        const marginal = (one: (typeof items)[number]) => {
          const nearest = Math.max(0, ...above.map((other) => sameGroup(one, other)))
          return lambda * (relevance[items.indexOf(one)] ?? 0) - (1 - lambda) * nearest
        }
        const left = items.filter((one) => !above.includes(one))
        expect(marginal(item as (typeof items)[number])).toBe(Math.max(...left.map(marginal)))
      }
    }),
  )
})

test('with lambda 0 one of each group comes before a second of any', () => {
  const items = ['a', 'b', 'c', 'd'].map((name, i) => ({ name, group: i < 2 ? 0 : i }))
  expect(allOf(items, 0, [1, 0.9, 0.8, 0.7]).map(({ name }) => name)).toEqual(['a', 'c', 'd', 'b'])
})

test('scores without a positive best count by place', () => {
  expect(relevanceOf([0, -1])).toEqual([1, 0.5])
  expect(relevanceOf([4, 1, -1])).toEqual([1, 0.25, 0])
})

test('products are alike by category and by the words of their titles, in both directions', () => {
  const red = productNamed('a', { title: 'Red wooden train', category_id: 1 })
  const blue = productNamed('b', { title: 'Blue wooden TRAIN', category_id: 1 })
  const book = productNamed('c', { title: 'A book', category_id: 2 })
  expect(productSimilarity(red, blue)).toBeCloseTo(0.5 + 0.5 * (2 / 4))
  expect(productSimilarity(blue, red)).toBe(productSimilarity(red, blue))
  expect(productSimilarity(red, red)).toBe(1)
  expect(productSimilarity(red, book)).toBe(0)
  expect(productSimilarity(red, undefined)).toBe(0)
})
