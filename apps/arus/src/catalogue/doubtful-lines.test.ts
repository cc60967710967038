import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CsvRecordScanner, RECORD_BYTES_MAX } from './csv-records.ts'
import { quoted, typedProducts } from './import-sql.ts'
import { PRODUCT_COLUMNS, type ProductColumn, productFieldKinds } from './product-columns.ts'

const NAMES = Object.keys(PRODUCT_COLUMNS) as ProductColumn[]
const SHAPE = {
  delimiter: ',',
  columnCount: NAMES.length,
  fieldKinds: productFieldKinds({ columns: NAMES } as never, new Map(NAMES.map((name, at) => [name, at]))),
} as const

function scan(content: Buffer, chunkBytes = 1 << 20, isPlain = false) {
  const records: (readonly [string, number])[] = []
  const broken: unknown[] = []
  const sink = {
    record: (bytes: Buffer, line: number) => records.push([bytes.toString('latin1'), line]),
    broken: (record: unknown) => broken.push(record),
  }
  const scanner = new CsvRecordScanner(SHAPE, 2, sink, isPlain)
  for (let at = 0; at < content.length; at += chunkBytes) scanner.push(content.subarray(at, at + chunkBytes))
  scanner.end()
  const { recordCount, brokenCount, blankLineCount, carriageReturnCount, multiLineCount } = scanner
  const { isUnterminated, isCutOff, doubtfulLines } = scanner
  const facts = {
    recordCount,
    brokenCount,
    blankLineCount,
    carriageReturnCount,
    multiLineCount,
    isUnterminated,
    isCutOff,
  }
  return { records, broken, facts, doubtfulLines }
}

const SOUND: Record<ProductColumn, string> = {
  asin: 'B0',
  title: '"Mug, ""large"""',
  imgUrl: '',
  productURL: 'https://shop.example/p',
  stars: '4.5',
  reviews: '12',
  price: '0.0',
  listPrice: '9.99',
  category_id: '7',
  categoryName: '',
  isBestSeller: 'False',
  boughtInLastMonth: '50',
}
const rowOf = (changes: Partial<Record<ProductColumn, string>>) =>
  NAMES.map((name) => changes[name] ?? SOUND[name]).join(',')

test('of a million ids none is taken for another, and one that comes again is doubtful, however long after', () => {
  const ids = Array.from({ length: 1_000_000 }, (_, n) => `P${n}`)
  const again = [0, 400_000, 786_431, 786_432, 999_999]
  const lines = [...ids, ...again.map((n) => ids[n])].join('\n')
  const scanner = new CsvRecordScanner({ delimiter: ',', columnCount: 1, fieldKinds: ['id'] }, 1, {
    record: () => {},
    broken: () => {},
  })
  scanner.push(Buffer.from(`${lines}\n`))
  scanner.end()
  expect(scanner.doubtfulLines).toEqual(again.map((_, n) => 1_000_001 + n))
})

test('sound records are not doubtful, whatever their ids', () => {
  const rows = Array.from({ length: 70_000 }, (_, n) => rowOf({ asin: `B${n}` }))
  expect(scan(Buffer.from(`${rows.join('\n')}\n`)).doubtfulLines).toEqual([])
  expect(scan(Buffer.from(`${[...rows, rows[9]].join('\r\n')}\r\n`)).doubtfulLines).toEqual([70_002])
})

test('more doubtful lines than can be named are none that are', () => {
  const rows = Array.from({ length: 10_001 }, () => rowOf({}))
  expect(scan(Buffer.from(`${rows.slice(1).join('\n')}\n`)).doubtfulLines).toHaveLength(9_999)
  expect(scan(Buffer.from(`${[...rows, rows[0]].join('\n')}\n`)).doubtfulLines).toBeNull()
})

const value = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '""',
    '" "',
    'a',
    ' a',
    'a ',
    '"a"',
    '" a"',
    'x'.repeat(201),
    'y'.repeat(16_001),
    'é',
    '\t',
    '\u00a0',
  ),
  fc.constantFrom(
    '0',
    '1',
    '5',
    '5.0',
    '5.00',
    '5.01',
    '6',
    '05',
    '4.99',
    '-1',
    '+1',
    '1.5',
    '12.',
    '.5',
    '1e3',
    '1_000',
    '1,5',
    ' 3',
  ),
  fc.constantFrom(
    '"3"',
    '4294967295',
    '4294967296',
    '999999999',
    '9999999999',
    '123456789012345.5',
    'nan',
    'inf',
    '-0',
    '0x10',
    '3.000',
  ),
  fc.constantFrom(
    'true',
    'FALSE',
    'True',
    'yes',
    'No',
    'maybe',
    'tru',
    'truE',
    'falSE',
    '2',
    '"True"',
    'TRUE ',
  ),
  fc.string({ unit: fc.constantFrom('1', '5', '.', '0', '-', 'e', ' ', 'A'), maxLength: 4 }),
)
const field = fc
  .tuple(value, fc.boolean())
  .map(([text, isQuoted]) => (!text.startsWith('"') && (isQuoted || text.includes(',')) ? `"${text}"` : text))
const row = fc.dictionary(fc.constantFrom(...NAMES), field, { maxKeys: 2, noNullPrototype: true }).map(rowOf)

test('every row that SQL refuses, or changes the texts of, and every later row of an id stands on a doubtful line', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const property = fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
    const content = Buffer.from(`${rows.join('\n')}\n`)
    const doubtful = new Set(scan(content).doubtfulLines)
    const columns = NAMES.map((_, at) => `unnest[${at + 1}] AS "${NAMES[at]}"`).join(', ')
    const list = rows.map(
      (text) =>
        `[${fieldsOf(text)
          .map((one) => (one === null ? 'NULL' : quoted(one)))
          .join(', ')}]`,
    )
    const bronze = `(SELECT row_number() OVER () + 1 AS line_number, ${columns} FROM (SELECT unnest([${list.join(', ')}]) AS unnest))`
    const reader = await connection.runAndReadAll(`
      SELECT typed.line_number::INTEGER FROM (${typedProducts(bronze)}) typed JOIN ${bronze} raw USING (line_number)
      WHERE fault IS NOT NULL OR product_id IS DISTINCT FROM raw.asin OR typed.title IS DISTINCT FROM raw.title
        OR image_url IS DISTINCT FROM "imgUrl" OR product_url IS DISTINCT FROM "productURL"
      UNION SELECT unnest(list(line_number::INTEGER ORDER BY line_number)[2:]) FROM (${typedProducts(bronze)}) GROUP BY product_id`)
    for (const [line] of reader.getRows())
      expect([line, rows[Number(line) - 2], doubtful.has(Number(line))]).toEqual([
        line,
        rows[Number(line) - 2],
        true,
      ])
  })
  try {
    await fc.assert(property, { numRuns: 150 })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
})

/** Fields of a record as DuckDB reads them: an empty one without quotes is null. */
function fieldsOf(record: string): (string | null)[] {
  const fields = record.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)!.slice(0, NAMES.length)
  return fields.map((raw) => {
    const text = raw.replace(/,$/, '')
    if (text === '') return null
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
  })
}

const soupByte = fc.oneof(
  fc.constantFrom(...Buffer.from('a1",\n\r "')),
  fc.constantFrom(0xff, 0xc3, 0xa9, 0, 9),
)
const soup = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: row.map((text) => Buffer.from(`${text}\n`)) },
    { weight: 1, arbitrary: row.map((text) => Buffer.from(`${text}\r\n`)) },
    { weight: 1, arbitrary: row.map((text) => Buffer.from(text.replace('B0', '"B\n0"'))) },
    { weight: 2, arbitrary: fc.array(soupByte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constant(Buffer.from('\n')) },
  ),
  { maxLength: 20 },
)

test('with the kernel any bytes give the records that the scanner alone gives', () => {
  fc.assert(
    fc.property(soup, fc.integer({ min: 1, max: 400 }), (parts, chunkBytes) => {
      const content = Buffer.concat(parts)
      const { doubtfulLines: _, ...plain } = scan(content, chunkBytes, true)
      const { doubtfulLines: __, ...found } = scan(content, chunkBytes)
      expect(found).toEqual(plain)
    }),
    { numRuns: 500 },
  )
})

test('a record as long as is allowed, and one longer, are told apart as by the scanner alone', () => {
  const bare = rowOf({ title: '' }).length
  for (const length of [RECORD_BYTES_MAX, RECORD_BYTES_MAX + 1]) {
    const content = Buffer.from(`${rowOf({ title: 't'.repeat(length - bare) })}\n${rowOf({})}\n`)
    const { doubtfulLines: _, ...plain } = scan(content, 1 << 16, true)
    const { doubtfulLines, ...found } = scan(content, 1 << 16)
    expect(found).toEqual(plain)
    expect(doubtfulLines).toEqual(length > RECORD_BYTES_MAX ? [] : [2, 3])
  }
})
