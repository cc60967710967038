import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteList } from './byte-list.ts'
import { ColumnFile } from './column-file.ts'
import { orderDocuments } from './document-order.ts'

const PRODUCT = fc.record({
  popularity: fc.constantFrom(0, 0.5, 1, 7.25),
  stars: fc.constantFrom(Number.NaN, 0, 1.5, 5),
  isBestSeller: fc.constantFrom(0, 1),
})

type Row = { popularity: number; stars: number; isBestSeller: number; id: string }

/** Ids differ in their last bytes only, so that the first eight tell nothing. */
const ROWS = fc
  .array(PRODUCT, { minLength: 1, maxLength: 60 })
  .map((rows): Row[] => rows.map((row, n) => ({ ...row, id: `PRODUCT-${(n * 37) % 61}` })))

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
      const ids = new ByteList()
      try {
        popularity.append(column('popularity'))
        stars.append(column('stars'))
        isBestSeller.append(column('isBestSeller'))
        for (const { id } of rows) ids.append(Buffer.from(id), 0, id.length)
        const file = join(folder, 'order')
        const order = orderDocuments({ popularity, stars, isBestSeller, ids, file }, runLines)
        expect([...order]).toEqual(expected(rows))
      } finally {
        for (const one of [popularity, stars, isBestSeller]) one.close()
        rmSync(folder, { recursive: true, force: true })
      }
    }),
    { numRuns: 50 },
  )
})
