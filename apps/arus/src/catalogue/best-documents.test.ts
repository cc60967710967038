import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BestDocuments } from './best-documents.ts'

test('keeps what sorting everything would put first, for any capacity and offset', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 600 })
  fc.assert(
    fc.property(
      scores,
      fc.constantFrom(0, 1, 5, 40, 256, 257, 500),
      fc.nat({ max: 20 }),
      (drawn, capacity, offset) => {
        const best = new BestDocuments(capacity)
        const all = drawn.map((score, document) => ({ document, score }))
        for (const { document, score } of all.toReversed()) best.offer(document, score)
        const sorted = all.toSorted((a, b) => b.score - a.score || a.document - b.document)
        expect(best.list(offset)).toEqual(sorted.slice(0, capacity).slice(offset))
      },
    ),
  )
})
