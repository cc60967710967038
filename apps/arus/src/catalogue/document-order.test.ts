import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ColumnFile } from './column-file.ts'
import { orderDocuments } from './document-order.ts'
import { IdFile } from './id-file.ts'

const PRODUCT = fc.record({
  popularity: fc.constantFrom(0, 0.5, 1, 7.25),
  stars: fc.constantFrom(Number.NaN, 0, 1.5, 5),
  isBestSeller: fc.constantFrom(0, 1),
})

type Row = { popularity: number; stars: number; isBestSeller: number; id: string }

/** Ids differ in their last bytes only, so that the first eight tell nothing; or only by bytes of 0 at their end. */
const ROWS = fc
  .tuple(fc.array(PRODUCT, { minLength: 1, maxLength: 60 }), fc.constantFrom('PRODUCT-', 'AB', ''))
  .map(([rows, before]): Row[] =>
    rows.map((row, n) => {
      const number = (n * 37) % 61
      return { ...row, id: number % 5 === 0 ? `${before}${'\0'.repeat(number)}` : `${before}${number}` }
    }),
  )

function expected(rows: readonly Row[]): number[] {
  const stars = (row: Row) => (Number.isNaN(row.stars) ? -1 : row.stars)
  return [...rows.keys()].sort((a, b) => {
    const [left, right] = [rows[a]!, rows[b]!]
    return (
      right.popularity - left.popularity ||
      right.isBestSeller - left.isBestSeller ||
      stars(right) - stars(left) ||
      Buffer.compare(Buffer.from(left.id), Buffer.from(right.id))
    )
  })
}

test('runs of any length are merged to the order of all lines', () => {
  fc.assert(
    fc.property(ROWS, fc.integer({ min: 1, max: 70 }), (rows, runLines) => {
      const folder = mkdtempSync(join(tmpdir(), 'arus-document-order-'))
      const column = <T extends 'popularity' | 'stars' | 'isBestSeller'>(name: T) =>
        Float64Array.from(rows, (row) => row[name])
      const popularity = new ColumnFile(join(folder, 'popularity'), Float32Array)
      const stars = new ColumnFile(join(folder, 'stars'), Float64Array)
      const isBestSeller = new ColumnFile(join(folder, 'is_best_seller'), Uint8Array)
      const ids = new IdFile(folder)
      try {
        popularity.append(column('popularity'))
        stars.append(column('stars'))
        isBestSeller.append(column('isBestSeller'))
        for (const { id } of rows)
          ids.append({ bytes: Buffer.from(id), ends: Uint32Array.of(id.length), hashes: Uint32Array.of(0) })
        const order = orderDocuments({ popularity, stars, isBestSeller, ids }, folder, runLines)
        const lines = expected(rows)
        const all = { first: 0, count: rows.length }
        expect([...order.lines.read(new Float64Array(rows.length), all)]).toEqual(lines)
        const documents = order.documents.read(new Float64Array(rows.length), all)
        expect(lines.map((line) => documents[line])).toEqual([...lines.keys()])
        order.close()
      } finally {
        for (const one of [popularity, stars, isBestSeller, ids]) one.close()
        rmSync(folder, { recursive: true, force: true })
      }
    }),
    { numRuns: 50 },
  )
})
