import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitLowPass, type ScoredItems } from '../src/index.ts'
import { from } from './matrices.ts'

const ITEMS = 20

test('whole rows say of one item what the model says, short and truncated ones the best of it', () => {
  const pair = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: ITEMS - 1 }))
  fc.assert(
    fc.property(
      fc.array(pair, { minLength: 20, maxLength: 120 }),
      fc.integer({ min: 1, max: 8 }),
      (made, length) => {
        const model = fitLowPass({ ...from(made), itemCount: ITEMS }, { rank: 3 })
        const [whole, short] = [model.shortened(ITEMS), model.shortened(length)]
        for (let item = 0; item < ITEMS; item++) {
          const expected = scoresOf(model.similar(item, { k: ITEMS }))
          const found = whole.similar(item, { k: ITEMS })
          // Rounded in another order, so that scores are close and those about 0 may be on either side of it.
          for (const [n, other] of found.items.entries())
            expect(found.scores[n]).toBeCloseTo(expected.get(other) ?? 0, 4)
          for (const [other, score] of expected) if (score > 1e-3) expect(found.items).toContain(other)
          expect(short.similar(item, { k: ITEMS }).items).toEqual(found.items.subarray(0, length))
        }
        expect(whole.truncated(length).file()).toEqual(short.file())
      },
    ),
  )
})

function scoresOf({ items, scores }: ScoredItems): Map<number, number> {
  return new Map(Array.from(items, (item, n) => [item, scores[n]!]))
}
