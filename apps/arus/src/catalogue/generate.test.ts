import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plannedCategories } from './category-plan.ts'
import { generateCatalogueFiles, PRODUCT_COUNT_MAX, productIdAt } from './generate.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-generate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function readRows(file: string): Record<string, string>[] {
  return parse(readFileSync(file), { columns: true })
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

test('the same seed writes the same bytes, another seed other ones', async () => {
  const first = await generateCatalogueFiles({ folder: join(folder, 'a'), productCount: 5000, seed: 1 })
  const again = await generateCatalogueFiles({ folder: join(folder, 'b'), productCount: 5000, seed: 1 })
  const other = await generateCatalogueFiles({ folder: join(folder, 'c'), productCount: 5000, seed: 2 })
  expect(digest(again.productsFile)).toBe(digest(first.productsFile))
  expect(digest(other.productsFile)).not.toBe(digest(first.productsFile))
})

test('the distributions have the shape of the catalogue in DESIGN §9', async () => {
  const { productsFile } = await generateCatalogueFiles({ folder, productCount: 60_000, seed: 3 })
  const rows = readRows(productsFile)
  const mean = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0) / rows.length
  const shareOfZero = (column: string) => rows.filter((row) => Number(row[column]) === 0).length / rows.length
  expect(rows).toHaveLength(60_000)
  expect(Math.abs(mean('stars') - 3.9995)).toBeLessThan(0.03)
  expect(Math.abs(mean('reviews') - 180.75)).toBeLessThan(35)
  expect(Math.abs(mean('price') - 43.375)).toBeLessThan(6)
  expect(Math.abs(mean('listPrice') - 12.449)).toBeLessThan(4)
  expect(Math.abs(mean('boughtInLastMonth') - 141.98)).toBeLessThan(25)
  expect(shareOfZero('listPrice')).toBeGreaterThan(0.7)
  expect(shareOfZero('boughtInLastMonth')).toBeGreaterThan(0.5)
  expect(new Set(rows.map((row) => row.asin)).size).toBe(60_000)
  const distinctTitles = new Set(rows.map((row) => row.title)).size / rows.length
  expect(distinctTitles).toBeGreaterThan(0.96)
  expect(distinctTitles).toBeLessThan(0.98)
})

test('every category_id is one of the 248 in the categories file', async () => {
  const { productsFile, categoriesFile } = await generateCatalogueFiles({
    folder,
    productCount: 4000,
    seed: 4,
  })
  const ids = readRows(categoriesFile).map((row) => row.id)
  expect(ids).toEqual(plannedCategories().map(({ categoryId }) => String(categoryId)))
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([248, '1', '270'])
  expect(readRows(productsFile).filter((row) => !ids.includes(row.category_id!))).toEqual([])
})

test('ids are 10 characters and never repeat, up to the largest catalogue', () => {
  const seen = new Uint8Array(0x80000000 / 8)
  for (let row = 0; row < PRODUCT_COUNT_MAX; row += 1) {
    const number = Number.parseInt(productIdAt(row, 9).slice(4), 36)
    const bit = 1 << (number & 7)
    if (seen[number >> 3]! & bit) expect.fail(`row ${row} repeats an id`)
    seen[number >> 3]! |= bit
  }
  expect(productIdAt(123, 9)).toMatch(/^B0[0-9A-Z]{8}$/)
})

test('an aborted run leaves no file behind, and a size out of range is refused', async () => {
  const controller = new AbortController()
  const onProgress = () => controller.abort()
  const running = generateCatalogueFiles({
    folder,
    productCount: 100_000,
    seed: 1,
    onProgress,
    signal: controller.signal,
  })
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(existsSync(join(folder, 'products.csv'))).toBe(false)
  expect(readdirSync(folder).filter((name) => name.startsWith('products'))).toEqual([])
  for (const productCount of [0, 1.5, PRODUCT_COUNT_MAX + 1]) {
    const refused = generateCatalogueFiles({ folder, productCount, seed: 1 })
    await expect(refused).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  }
})
