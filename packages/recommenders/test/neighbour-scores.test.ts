import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlendModel, joinLists } from '../src/blend-model.ts'
import { fitLowPass, fitWalk } from '../src/index.ts'
import { NeighbourModel } from '../src/neighbour-model.ts'
import { from } from './matrices.ts'

const ITEMS = 30

const pair = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: ITEMS - 1 }))
const pairs = fc.array(pair, { minLength: 20, maxLength: 120 })
const own = fc.uniqueArray(
  fc.record({
    item: fc.nat({ max: ITEMS + 2 }),
    weight: fc.float({ min: Math.fround(-1), max: 4, noNaN: true }),
  }),
  { selector: ({ item }) => item, maxLength: 8 },
)

test('a blend that looks at the neighbours of two parts once answers as if it had asked each', () => {
  fc.assert(
    fc.property(
      pairs,
      own,
      fc.uniqueArray(fc.nat({ max: ITEMS })),
      fc.nat({ max: 12 }),
      (made, past, out, k) => {
        const data = { ...from(made), itemCount: ITEMS }
        const parts = [
          { model: fitLowPass(data, { rank: 3 }), weight: 1 },
          { model: fitWalk(data), weight: 0.6 },
        ]
        const depth = Math.max(k, 5)
        const user = {
          items: Uint32Array.from(past, ({ item }) => item),
          weights: Float32Array.from(past, ({ weight }) => weight),
        }
        const filter = (item: number) => !out.includes(item)
        const lists = parts.map(({ model, weight }) => {
          const list = model.recommend(user, { k: depth, filter })
          return { list, factor: weight / (list.scores[0] ?? 1) }
        })
        const blended = new BlendModel(parts, { depth: 5 })
        const expected = joinLists(lists, k, new Float64Array(ITEMS))
        for (let time = 0; time < 2; time++) expect(blended.recommend(user, { k, filter })).toEqual(expected)
      },
    ),
  )
})

test('where a filter leaves few of the best, the best of the rest are found', () => {
  const count = 1_000
  const matrix = {
    rowCount: count,
    columnCount: count,
    starts: Uint32Array.from({ length: count + 1 }, (_, n) => (n === 0 ? 0 : count - 1)),
    columns: Uint32Array.from({ length: count - 1 }, (_, n) => n + 1),
    values: Float32Array.from({ length: count - 1 }, (_, n) => 1 + ((n * 7) % (count - 1))),
  }
  const best = Array.from(matrix.columns).sort((a, b) => matrix.values[b - 1]! - matrix.values[a - 1]!)
  const hidden = new Set(best.slice(0, 500))
  const model = new NeighbourModel('walk', matrix, {})
  const user = { items: Uint32Array.of(0), weights: Float32Array.of(1) }
  const { items } = model.recommend(user, { k: 5, filter: (item) => !hidden.has(item) })
  expect([...items]).toEqual(best.slice(500, 505))
})
