import { expect, test } from 'vitest'
import { sortOrderOf } from '../src/relation.ts'

const FIRST = 1
const LAST = 2

test.each([
  ['price', 'price', 1, FIRST],
  ['price DESC', 'price', 2, LAST],
  [' price  asc nulls  last ', 'price', 1, LAST],
  ['price desc NULLS FIRST', 'price', 2, FIRST],
  ['desc', 'desc', 1, FIRST],
  ['a.desc_of', 'a.desc_of', 1, FIRST],
  ["concat(a, ' desc')", "concat(a, ' desc')", 1, FIRST],
])('order by %j', (text, expression, direction, nullOrdering) => {
  expect(sortOrderOf(text)).toEqual({
    child: { exprType: { case: 'expressionString', value: { expression } } },
    direction,
    nullOrdering,
  })
})
