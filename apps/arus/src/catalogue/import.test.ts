import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { buildCatalogueFromLake } from './build-from-lake.ts'
import { currentVersion } from './catalogue-folder.ts'
import { openCatalogue } from './folder-catalogue.ts'
import { generateCatalogueFiles } from './generate.ts'
import { importCatalogue, isImported } from './import.ts'
import type { ImportReport } from './import-report.ts'

const US_HEADER =
  'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth'
const CATEGORIES = 'id,category_name\n1,Mugs  &  Cups\n2,"Arts, Crafts"\n'

let folder = ''
let lake: Lake
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-import-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  lake = await openLake({ root: join(folder, 'lake'), duckdb })
})
afterEach(async () => {
  await lake.close()
  await lake.duckdb.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

function run(
  productsFile: string,
  categoriesFile: string | null = null,
  signal?: AbortSignal,
): Promise<ImportReport> {
  return importCatalogue({
    productsFile,
    categoriesFile,
    lake,
    folder: join(folder, 'catalogue'),
    now: Date.now,
    ...(signal ? { signal } : {}),
  })
}

function importText(
  products: string | Buffer,
  categories: string | null = CATEGORIES,
): Promise<ImportReport> {
  return run(
    write('products.csv', products),
    categories === null ? null : write('categories.csv', categories),
  )
}

async function rows(
  table: 'silver.products' | 'bronze.products' | 'bronze.categories' | 'bronze.rejected_products',
  columns: string,
) {
  const connection = await lake.duckdb.connect()
  const { sql } = await lake.relation(table)
  const reader = await connection.runAndReadAll(`SELECT ${columns} FROM ${sql} ORDER BY ALL`)
  connection.closeSync()
  return reader.getRowsJson()
}

function row(asin: string, changes: Partial<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    asin,
    title: 'A mug',
    imgUrl: '',
    productURL: `https://shop.example/${asin}`,
    stars: '4.5',
    reviews: '10',
    price: '8.0',
    listPrice: '10.0',
    category_id: '1',
    isBestSeller: 'False',
    boughtInLastMonth: '50',
    ...(changes as Record<string, string>),
  }
  return US_HEADER.split(',')
    .map((name) => values[name])
    .join(',')
}

const file = (...lines: string[]) => `${[US_HEADER, ...lines].join('\n')}\n`

test('a generated catalogue arrives whole: every count and sum equals the file', async () => {
  const files = await generateCatalogueFiles({ folder, productCount: 5000, seed: 5 })
  const report = await run(files.productsFile, files.categoriesFile)
  expect(report).toMatchObject({
    rows_read: 5000,
    rows_imported: 5000,
    rows_dropped: 0,
    rejected: {},
    categories: 248,
  })
  const source: Record<string, string>[] = parse(readFileSync(files.productsFile), { columns: true })
  const sum = (column: string) => source.reduce((total, entry) => total + Number(entry[column]), 0)
  const [silver] = await rows(
    'silver.products',
    `count(*)::INTEGER, count(DISTINCT product_id)::INTEGER, sum(stars), sum(reviews)::INTEGER, sum(price), sum(list_price),
     sum(bought_in_last_month)::INTEGER, count(*) FILTER (is_best_seller)::INTEGER, count(category)::INTEGER`,
  )
  const [count, distinct, stars, reviews, price, listPrice, bought, bestSellers, categorised] = (
    silver ?? []
  ).map(Number)
  expect([count, distinct, reviews, bought, categorised]).toEqual([
    5000,
    5000,
    sum('reviews'),
    sum('boughtInLastMonth'),
    5000,
  ])
  expect(stars).toBeCloseTo(sum('stars'), 4)
  expect(price).toBeCloseTo(sum('price'), 2)
  expect(listPrice).toBeCloseTo(sum('listPrice'), 2)
  expect(bestSellers).toBe(source.filter((entry) => entry.isBestSeller === 'True').length)
  const catalogue = await openCatalogue({ folder: join(folder, 'catalogue') })
  for (const entry of source.slice(0, 50)) {
    expect(catalogue.get(entry.asin!)).toMatchObject({
      title: entry.title,
      price: Number(entry.price) || null,
      category_id: Number(entry.category_id),
    })
  }
  await catalogue.close()
  const lines = await rows('bronze.products', 'min(line_number)::INTEGER, max(line_number)::INTEGER')
  expect(lines).toEqual([[2, 5001]])
  const [last] = await rows('bronze.products', 'arg_max(asin, line_number)')
  expect(last).toEqual([source.at(-1)!.asin])
})

describe('rows that cannot be taken', () => {
  test.each([
    ['missing_asin', row('')],
    ['missing_title', row('B1', { title: '  ' })],
    ['not_a_number', row('B1', { price: 'abc' })],
    ['not_a_number', row('B1', { stars: 'NaN' })],
    ['not_a_number', row('B1', { reviews: '1 000' })],
    ['not_a_whole_number', row('B1', { reviews: '1.5' })],
    ['number_out_of_range', row('B1', { boughtInLastMonth: '1e12' })],
    ['negative_number', row('B1', { price: '-1' })],
    ['negative_number', row('B1', { stars: '-0.5' })],
    ['stars_out_of_range', row('B1', { stars: '5.1' })],
    ['not_a_boolean', row('B1', { isBestSeller: 'maybe' })],
    ['field_too_long', row('B1', { title: 'x'.repeat(16_001) })],
    ['wrong_column_count', 'B1,only two'],
    ['broken_quote', row('B1', { title: '"A mug' })],
    ['broken_quote', row('B1', { title: '"A "mug"' })],
    ['stray_carriage_return', row('B1', { title: 'A\rmug' })],
    ['not_utf8', row('B1', { title: 'A m\0g' })],
  ])('%s: the row is dropped with its line, the others stay', async (reason, bad) => {
    const report = await importText(file(row('A1'), bad, row('A2'), row('A3')))
    expect(report).toMatchObject({
      rows_read: 4,
      rows_imported: 3,
      rows_dropped: 1,
      rejected: { [reason]: 1 },
    })
    expect(report.examples.map(({ line, reason: found }) => [line, found])).toEqual([[3, reason]])
    expect(await rows('bronze.rejected_products', 'line_number::INTEGER, reason')).toEqual([[3, reason]])
    expect(await rows('silver.products', 'product_id')).toEqual([['A1'], ['A2'], ['A3']])
  })

  test('of rows with one asin the first that can be taken is kept', async () => {
    const report = await importText(
      file(
        row('A1', { price: 'x' }),
        row('A1', { price: '2' }),
        row('A1', { price: '3' }),
        row(' A1 ', { price: '4' }),
      ),
    )
    expect(report.rejected).toEqual({ duplicate_asin: 2, not_a_number: 1 })
    expect(await rows('silver.products', 'product_id, price')).toEqual([['A1', 2]])
    expect(report.examples.at(-1)?.detail).toBe('this asin stood on line 3')
  })

  test('an unknown category is reported and the product kept without one', async () => {
    const report = await importText(
      file(row('A1'), row('A2', { category_id: '77' }), row('A3', { category_id: 'x' })),
    )
    expect(report).toMatchObject({ rows_imported: 3, rows_dropped: 0, rejected: { unknown_category: 2 } })
    expect(await rows('silver.products', 'product_id, category_id::INTEGER, category')).toEqual([
      ['A1', 1, 'Mugs & Cups'],
      ['A2', null, null],
      ['A3', null, null],
    ])
  })

  test('line numbers are physical lines, through fields of many lines, blank lines and broken rows', async () => {
    const report = await importText(
      file(row('A1', { title: '"one\ntwo\nthree"' }), '', row('A2', { price: 'bad' }), 'broken', row('', {})),
    )
    expect(report.examples.map(({ line, reason }) => [line, reason])).toEqual([
      [6, 'not_a_number'],
      [7, 'wrong_column_count'],
      [8, 'missing_asin'],
    ])
    expect(await rows('bronze.products', 'line_number::INTEGER, asin')).toEqual([
      [2, 'A1'],
      [6, 'A2'],
      [8, null],
    ])
    expect(await rows('silver.products', 'title')).toEqual([['one\ntwo\nthree']])
  })

  test('faults of the categories file are reported and cost no product', async () => {
    const categories = 'id,category_name\n1,Mugs\nx,Nowhere\n1,Again\n2,\n'
    const report = await importText(file(row('A1')), categories)
    expect(report).toMatchObject({ rows_read: 1, rows_imported: 1, rejected: { category_row_invalid: 3 } })
    expect(await rows('bronze.categories', 'id, category_name')).toEqual([
      ['1', 'Again'],
      ['1', 'Mugs'],
      ['2', null],
      ['x', 'Nowhere'],
    ])
    expect(await rows('silver.products', 'category')).toEqual([['Mugs']])
  })

  test('any mixture of sound and faulty rows: each row is imported or rejected with its line, never both', async () => {
    const kinds = {
      sound: (i: number) => row(`A${i}`),
      quoted: (i: number) => row(`A${i}`, { title: '"a ""mug"",\nlarge"' }),
      missing_title: (i: number) => row(`A${i}`, { title: '' }),
      not_a_number: (i: number) => row(`A${i}`, { price: '1,5'.replace(',', ';') }),
      negative_number: (i: number) => row(`A${i}`, { listPrice: '-3' }),
      wrong_column_count: (i: number) => `A${i},short`,
      duplicate_asin: () => row('A0'),
    }
    const kind = fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[]))
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { minLength: 1, maxLength: 25 }), async (drawn) => {
        const lines = [row('A0'), ...drawn.map((name, i) => kinds[name](i + 1)), row('Z')]
        let line = 2
        const expected: [number, string][] = []
        for (const [i, text] of lines.entries()) {
          const name = drawn[i - 1]
          if (name !== undefined && name !== 'sound' && name !== 'quoted') expected.push([line, name])
          line += text.split('\n').length
        }
        fc.pre(expected.filter(([, name]) => name === 'wrong_column_count').length <= lines.length / 2)
        const report = await importText(file(...lines))
        expect(await rows('bronze.rejected_products', 'line_number::INTEGER, reason')).toEqual(expected)
        expect(report.rows_imported).toBe(lines.length - expected.length)
        expect(report.rows_read).toBe(lines.length)
      }),
      { numRuns: 15 },
    )
  })
})

describe('shapes of files', () => {
  test('prices of 0 are none, the discount is worked out, empty fields are null', async () => {
    await importText(
      file(
        row('A1', { price: '7.5', listPrice: '10' }),
        row('A2', { price: '0.0', listPrice: '0' }),
        row('A3', { price: '5', listPrice: '5', stars: '', reviews: '', category_id: '' }),
      ),
    )
    const columns =
      'product_id, price, list_price, discount, stars, reviews::INTEGER, category_id::INTEGER, image_url'
    expect(await rows('silver.products', columns)).toEqual([
      ['A1', 7.5, 10, 0.25, 4.5, 10, 1, null],
      ['A2', null, null, null, 4.5, 10, 1, null],
      ['A3', 5, 5, null, null, 0, null, null],
    ])
  })

  test('another column order, category names, TRUE and FALSE, Windows line ends and a byte order mark', async () => {
    const text =
      '\ufeffcategoryName,TITLE,asin,isBestSeller\r\nPet  Shop,Bowl,A1,TRUE\r\nGarden,Rake,A2,FALSE\r\nPet Shop,"Leash, red",A3,TRUE\r\n'
    const report = await importText(text, null)
    expect(report).toMatchObject({ rows_imported: 3, rejected: {}, categories: 2 })
    expect(
      await rows('silver.products', 'product_id, title, category, category_id::INTEGER, is_best_seller'),
    ).toEqual([
      ['A1', 'Bowl', 'Pet Shop', 2, true],
      ['A2', 'Rake', 'Garden', 1, false],
      ['A3', 'Leash, red', 'Pet Shop', 2, true],
    ])
  })

  test('category ids without a categories file get a name', async () => {
    await importText(file(row('A1', { category_id: '12' })), null)
    expect(await rows('silver.products', 'category_id::INTEGER, category')).toEqual([[12, 'Category 12']])
  })

  test('a header with quoted names, one of them with a comma', async () => {
    await importText('"asin","title","size, cm"\nA1,Bowl,3\n', null)
    expect(await rows('silver.products', 'product_id, title')).toEqual([['A1', 'Bowl']])
  })

  test('semicolons, and gzip', async () => {
    const text = file(row('A1'), row('A2')).replaceAll(',', ';')
    const report = await run(write('p.csv.gz', gzipSync(text)))
    expect(report).toMatchObject({ rows_read: 2, rows_imported: 2, rejected: {} })
  })

  test('importing a file again gives the same tables, and is known to be done', async () => {
    const products = write('products.csv', file(row('A1'), row('A1'), row('A2')))
    const known = (productsFile: string) => isImported({ folder: join(folder, 'catalogue'), productsFile })
    expect(await known(products)).toBe(false)
    await run(products)
    const [first, rejected] = [
      await rows('silver.products', '*'),
      await rows('bronze.rejected_products', 'line_number'),
    ]
    expect(await known(products)).toBe(true)
    await run(products)
    expect(await rows('silver.products', '*')).toEqual(first)
    expect(await rows('bronze.rejected_products', 'line_number')).toEqual(rejected)
    expect(await known(write('other.csv', file(row('A1'), row('A2'))))).toBe(false)
    writeFileSync(products, file(row('A9')))
    expect(await known(products)).toBe(false)
  })
})

describe('files that are no catalogue', () => {
  const csv = file(...Array.from({ length: 3000 }, (_, i) => row(`A${i}`)))
  const zipped = gzipSync(csv)
  test.each([
    ['an empty file', Buffer.alloc(0), 'CSV_INVALID', 'empty'],
    ['a web page', '<!DOCTYPE html>\n<html><body>Sign in</body></html>\n', 'CSV_INVALID', 'web page'],
    ['JSON', '[{"asin": "A1", "title": "Mug"}]', 'CSV_INVALID', 'JSON'],
    ['binary data', Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 8]), 'CSV_INVALID', 'binary'],
    ['UTF-16', Buffer.from('\ufeffasin,title\nA1,Mug\n', 'utf16le'), 'CSV_INVALID', 'UTF-16'],
    ['a header alone', `${US_HEADER}\n`, 'CSV_INVALID', 'no rows'],
    ['another table', 'user,item\n1,2\n', 'CSV_INVALID', 'no column asin'],
    ['a file cut off in a row', csv.slice(0, -20), 'CSV_INVALID', 'cut off'],
    ['a file cut off in a quoted field', `${file(row('A1'))}A2,"half a ti`, 'CSV_INVALID', 'cut off'],
    ['a gzip file cut off', zipped.subarray(0, zipped.length - 100), 'FILE_UNREADABLE', 'cut off or damaged'],
    ['a gzip file cut off in its head', zipped.subarray(0, 12), 'FILE_UNREADABLE', 'cut off or damaged'],
    ['mostly broken lines', `asin,title\n${'a,b,c\n'.repeat(9)}A1,Mug\n`, 'CSV_INVALID', 'line 2'],
  ])('%s is refused, and nothing is written', async (_, content, code, said) => {
    await importText(file(row('OLD')))
    const version = currentVersion(join(folder, 'catalogue'))
    const before = await rows('bronze.products', '*')
    await expect(importText(content)).rejects.toMatchObject({ code, message: expect.stringContaining(said) })
    expect(await rows('bronze.products', '*')).toEqual(before)
    expect(await rows('silver.products', 'product_id')).toEqual([['OLD']])
    expect(currentVersion(join(folder, 'catalogue'))).toBe(version)
    expect(readdirSync(join(folder, 'catalogue')).filter((name) => name.startsWith('work-'))).toEqual([])
  })

  test('a file none of whose rows can be taken: the reasons are kept, what is served stays', async () => {
    await importText(file(row('OLD')))
    const empty = importText(file(row(''), row('A1', { price: 'x' })))
    await expect(empty).rejects.toMatchObject({
      code: 'CSV_INVALID',
      message: expect.stringContaining('line 2'),
    })
    expect(await rows('silver.products', 'product_id')).toEqual([['OLD']])
    expect(await rows('bronze.rejected_products', 'line_number::INTEGER')).toEqual([[2], [3]])
    expect(
      await isImported({ folder: join(folder, 'catalogue'), productsFile: join(folder, 'products.csv') }),
    ).toBe(false)
  })

  test('a missing file and a folder', async () => {
    await expect(run(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(run(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})

test('a lost catalogue is made again from the lake, the same as before', async () => {
  const files = await generateCatalogueFiles({ folder, productCount: 800, seed: 7 })
  await run(files.productsFile, files.categoriesFile)
  const catalogueFolder = join(folder, 'catalogue')
  const facts = async () => {
    const catalogue = await openCatalogue({ folder: catalogueFolder })
    const best = catalogue.popular(800)
    const found = { best, categories: catalogue.categories(), first: catalogue.get(best[0]!.product_id) }
    await catalogue.close()
    return found
  }
  const before = await facts()
  rmSync(catalogueFolder, { recursive: true })
  await buildCatalogueFromLake({ lake, folder: catalogueFolder, nowMs: 99 })
  expect(await facts()).toEqual(before)
  expect(before.best.map(({ score }) => score)).toEqual(
    before.best.map(({ score }) => score).toSorted((a, b) => b - a),
  )
  expect(before.best[0]!.score).toBeGreaterThan(0)
})

test('an import stopped at any step leaves the old catalogue serving, and the next one is whole', async () => {
  const old = write('old.csv', file(row('OLD')))
  const files = await generateCatalogueFiles({ folder, productCount: 3000, seed: 6 })
  const catalogueFolder = join(folder, 'catalogue')
  const steps = new Set<string>()
  for (let stopAt = 0; ; stopAt++) {
    const { catalogue_version } = await run(old)
    const controller = new AbortController()
    let calls = 0
    const stopped = await importCatalogue({
      productsFile: files.productsFile,
      categoriesFile: files.categoriesFile,
      lake,
      folder: catalogueFolder,
      now: Date.now,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (calls++ !== stopAt) return
        steps.add(step)
        controller.abort()
      },
    }).then(
      () => false,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'CANCELLED' })
        return true
      },
    )
    if (!stopped) break
    expect(currentVersion(catalogueFolder)).toBe(catalogue_version)
    const catalogue = await openCatalogue({ folder: catalogueFolder })
    expect(catalogue.get('OLD')?.title).toBe('A mug')
    await catalogue.close()
  }
  expect(steps.size).toBeGreaterThan(3)
  expect(await isImported({ folder: catalogueFolder, ...files })).toBe(true)
  expect(await rows('silver.products', 'count(*)::INTEGER')).toEqual([[3000]])
})

const SAMPLES = join(
  process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../../../../shared/data'),
  'amazon-products-2023',
)
const sample = (name: string) => join(SAMPLES, name)

describe('real samples', () => {
  const US = 'amazon_products.sampleA.csv.gz'
  const hasUs = existsSync(sample(US))
  test.skipIf(!hasUs)(
    `the US sample with its categories${hasUs ? '' : ' (skipped: shared data absent)'}`,
    async () => {
      const report = await run(sample(US), sample('amazon_categories.csv'))
      const source: Record<string, string>[] = parse(gunzipSync(readFileSync(sample(US))), { columns: true })
      expect(report).toMatchObject({
        rows_read: source.length,
        rows_imported: source.length,
        categories: 248,
      })
      const [[stars, price] = []] = await rows('silver.products', 'sum(stars), sum(price)')
      expect(Number(stars)).toBeCloseTo(
        source.reduce((sum, entry) => sum + Number(entry.stars), 0),
        3,
      )
      expect(Number(price)).toBeCloseTo(
        source.reduce((sum, entry) => sum + Number(entry.price), 0),
        1,
      )
    },
  )

  for (const name of ['amz_ca_total_products_data_processed.sample.csv.gz', 'amz_in_products.halfA.csv.gz']) {
    const isThere = existsSync(sample(name))
    const title = `the country edition ${name}${isThere ? '' : ' (skipped: shared data absent)'}`
    test.skipIf(!isThere)(title, () => importsEdition(name))
  }

  async function importsEdition(name: string): Promise<void> {
    const report = await run(sample(name))
    const source: Record<string, string>[] = parse(gunzipSync(readFileSync(sample(name))), {
      columns: true,
    })
    const distinct = new Set(source.map((entry) => entry.asin)).size
    expect(report.rows_read).toBe(source.length)
    expect(report.rows_imported + (report.rejected.duplicate_asin ?? 0)).toBe(source.length)
    expect(report.rows_imported).toBe(distinct)
    const names = new Set(source.map((entry) => entry.categoryName?.trim().replaceAll(/\s+/g, ' ')))
    expect(new Set((await rows('silver.products', 'DISTINCT category')).map(([value]) => value))).toEqual(
      names,
    )
    const [[bestSellers] = []] = await rows('silver.products', 'count(*) FILTER (is_best_seller)::INTEGER')
    const expected = new Set(
      source.filter((entry) => /true/i.test(entry.isBestSeller ?? '')).map((entry) => entry.asin),
    )
    expect(bestSellers).toBe(expected.size)
  }
})
