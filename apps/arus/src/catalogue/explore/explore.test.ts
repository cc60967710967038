import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DuckDb, openDuckDb } from '../../lake/duckdb.ts'
import { seededRandom } from '../seeded-random.ts'
import { explore } from './explore.ts'
import { htmlReport } from './html-report.ts'
import { writeSample } from './sample.ts'
import { terminalReport } from './terminal-report.ts'

const shared = join(
  process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../../../../../shared/data'),
  'amazon-products-2023',
)
let folder = ''
let duckdb: DuckDb
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-explore-'))
  mkdirSync(join(folder, 'tmp'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
})
afterEach(async () => {
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

const run = (productsFile: string, categoriesFile: string | null = null) =>
  explore({
    productsFile,
    categoriesFile,
    duckdb,
    temporaryFolder: join(folder, 'tmp'),
    onProgress: () => {},
    signal: new AbortController().signal,
  })

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

test('every figure equals the same computed in plain code', async () => {
  const random = seededRandom(5)
  const values = Array.from({ length: 999 }, () => Math.round(random.next() ** 4 * 100_000) / 100)
  const rows = values.map(
    (price, i) =>
      `A${i % 990},"title, ${i % 300}",${i % 7 === 0 ? '' : price},${i % 2 === 0 ? 'True' : 'False'},${(i % 5) + 1}`,
  )
  const all = [...rows, rows[3]!, rows[3]!]
  const report = await run(
    file('p.csv', `asin,title,price,isBestSeller,category_id\n${all.join('\n')}\n`),
    file('c.csv', 'id,category_name\n1,One\n2,Two\n3,Three\n4,Four\n9,Nine\n'),
  )
  expect(report.file).toMatchObject({ rows: 1_001, columns: 5, unreadable_rows: 0 })
  const [asin, title, price, best] = report.columns
  expect(report.columns.map((column) => column.type)).toEqual([
    'text',
    'text',
    'decimal',
    'boolean',
    'integer',
  ])
  expect([asin!.distinct, title!.distinct, best!.distinct]).toEqual([990, 300, 2])
  const given = all
    .map((row) => row.split(',').at(-3)!)
    .filter((text) => text !== '')
    .map(Number)
    .sort((a, b) => a - b)
  const mean = given.reduce((sum, value) => sum + value, 0) / given.length
  const std = Math.sqrt(given.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (given.length - 1))
  const quantile = (share: number) => {
    const at = share * (given.length - 1)
    const low = given[Math.floor(at)]!
    return low + (at % 1) * ((given[Math.ceil(at)] ?? low) - low)
  }
  expect(price!.missing).toBe(all.length - given.length)
  expect(price!.statistics).toMatchObject({ count: given.length, min: given[0], max: given.at(-1) })
  for (const [found, expected] of [
    [price!.statistics!.mean, mean],
    [price!.statistics!.std, std],
    [price!.statistics!.q25, quantile(0.25)],
    [price!.statistics!.median, quantile(0.5)],
    [price!.statistics!.q75, quantile(0.75)],
  ]) {
    expect(found).toBeCloseTo(expected!, 6)
  }
  expect(price!.histogram!.bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(given.length)
  expect(report.duplicates).toEqual({ rows: 2, asin: 11 })
  const fifth = all.filter((row) => row.endsWith(',5')).length
  expect(report.categories).toMatchObject({
    categories: 5,
    unmatched_products: fifth,
    unmatched_ids: ['5'],
    unused: 1,
  })
  expect(report.samples.map((row) => row.asin)).toEqual(['A0', 'A1', 'A2', 'A3', 'A4'])
  expect(report.five_vs.map(({ name }) => name)).toEqual([
    'volume',
    'velocity',
    'variety',
    'veracity',
    'value',
  ])
})

test('a gzip file gives the same as the plain one; both reports can be drawn', async () => {
  const csv = `asin,title,price\n${Array.from({ length: 50 }, (_, i) => `A${i},<b>title</b> ${i},${i}`).join('\n')}\n`
  const plain = await run(file('p.csv', csv))
  const packed = await run(file('p.csv.gz', gzipSync(csv)))
  expect(packed.columns).toEqual(plain.columns)
  const text = terminalReport(plain, (headers, rows) =>
    [headers, ...rows].map((row) => row.join(' ')).join('\n'),
  )
  expect(text).toContain('█')
  const html = htmlReport(plain)
  expect(html).toContain('<svg')
  expect(html).not.toContain('<b>title')
  expect(html).not.toMatch(/(src|href)=/)
})

test('a sample is the same for a seed, of whole rows, and another for another seed', async () => {
  const products = file(
    'p.csv',
    `asin,title\n${Array.from({ length: 500 }, (_, i) => `A${i},"t, ${i}"`).join('\n')}\n`,
  )
  const take = async (seed: number, name: string) => {
    const outFile = join(folder, name)
    expect(
      await writeSample({
        productsFile: products,
        count: 100,
        seed,
        outFile,
        duckdb,
        temporaryFolder: join(folder, 'tmp'),
        onProgress: () => {},
        signal: new AbortController().signal,
      }),
    ).toBe(100)
    return readFileSync(outFile, 'utf8')
  }
  const [one, again, other] = [await take(1, 'a.csv'), await take(1, 'b.csv'), await take(2, 'c.csv')]
  expect(again).toBe(one)
  expect(other).not.toBe(one)
  const lines = one.trim().split('\n')
  expect(lines).toHaveLength(101)
  expect(lines.slice(1).every((line) => readFileSync(products, 'utf8').includes(`${line}\n`))).toBe(true)
})

test('a missing file, an empty one and one that is no CSV are told apart', async () => {
  await expect(run(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  for (const content of [
    '',
    'asin,title\n',
    '<!doctype html><html><body>hello</body></html>',
    Buffer.from([0, 1, 2, 3, 0, 0, 9]),
  ]) {
    await expect(run(file('bad.csv', content))).rejects.toMatchObject({
      code: expect.stringMatching(/CSV_INVALID|FILE_UNREADABLE/),
    })
  }
})

test.skipIf(!existsSync(shared))(
  'the shared samples: US with categories, and a country edition (skipped where absent)',
  async () => {
    const us = await run(
      join(shared, 'amazon_products.sampleA.csv.gz'),
      join(shared, 'amazon_categories.csv'),
    )
    expect(us.file).toMatchObject({ rows: 6_972, columns: 11 })
    expect(us.categories).toMatchObject({ categories: 248, unmatched_products: 0 })
    const india = await run(join(shared, 'amz_in_products.halfA.csv.gz'))
    expect(india.file.rows).toBe(2_554)
  },
)
