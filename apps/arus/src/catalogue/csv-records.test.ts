import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BrokenRecord, CsvRecordScanner, RECORD_BYTES_MAX } from './csv-records.ts'

interface Scanned {
  readonly records: { text: string; line: number }[]
  readonly broken: BrokenRecord[]
  readonly scanner: CsvRecordScanner
}

function scan(content: string | Buffer, chunkBytes = 1 << 20, columnCount = 3): Scanned {
  const records: Scanned['records'] = []
  const broken: BrokenRecord[] = []
  const scanner = new CsvRecordScanner({ delimiter: ',', columnCount }, 2, {
    record: (bytes, line) => records.push({ text: bytes.toString(), line }),
    broken: (record) => broken.push(record),
  })
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += chunkBytes) scanner.push(bytes.subarray(at, at + chunkBytes))
  scanner.end()
  return { records, broken, scanner }
}

const linesOf = (found: Scanned) => found.records.map(({ line }) => line)
const faultsOf = (found: Scanned) => found.broken.map(({ line, reason }) => [line, reason])

test('physical lines are counted through quoted line ends and blank lines', () => {
  const found = scan('1,a,x\n2,"two\nlines\nhere",x\n\n3,"q""uote",x\n4,5" nail,x\n')
  expect(linesOf(found)).toEqual([2, 3, 7, 8])
  expect(found.broken).toEqual([])
  expect(found.scanner).toMatchObject({ recordCount: 4, multiLineCount: 1, blankLineCount: 1 })
})

test('a stray quote costs its own line only', () => {
  const found = scan('1,"open,x\n2,"fine, too",x\n3,plain,x\n4,"a"b,x\n5,e,x\n')
  expect(faultsOf(found)).toEqual([
    [2, 'broken_quote'],
    [5, 'broken_quote'],
  ])
  expect(linesOf(found)).toEqual([3, 4, 6])
})

test('a quote that never closes costs its own line only, also when the file is large', () => {
  const rest = Array.from({ length: 90_000 }, (_, i) => `${i},plain title,x`)
  const found = scan(`0,"open,x\n${rest.join('\n')}\n`, 1 << 16)
  expect(rest.join('\n').length).toBeGreaterThan(RECORD_BYTES_MAX)
  expect(faultsOf(found)).toEqual([[2, 'broken_quote']])
  expect(found.records).toHaveLength(90_000)
  expect(found.records.at(-1)).toEqual({ text: '89999,plain title,x', line: 90_002 })
})

test('too few and too many columns, bytes that are no UTF-8 and lone carriage returns are told apart', () => {
  const bad = Buffer.concat([
    Buffer.from('1,a\n2,b,x,y\n3,'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(',x\n4,a\rb,x\n5,\0,x\n6,ü,x\n'),
  ])
  const found = scan(bad)
  expect(faultsOf(found)).toEqual([
    [2, 'wrong_column_count'],
    [3, 'wrong_column_count'],
    [4, 'not_utf8'],
    [5, 'stray_carriage_return'],
    [6, 'not_utf8'],
  ])
  expect(found.broken[0]?.detail).toContain('3 columns, this line 2')
  expect(linesOf(found)).toEqual([7])
})

test('a record beyond the limit is refused, the next ones are read', () => {
  const found = scan(`1,${'x'.repeat(RECORD_BYTES_MAX)},x\n2,b,x\n`, 1 << 16)
  expect(faultsOf(found)).toEqual([[2, 'record_too_long']])
  expect(linesOf(found)).toEqual([3])
})

test('a last line without a line end is whole or cut off', () => {
  expect(scan('1,a,x\n2,b,x').scanner).toMatchObject({
    recordCount: 2,
    isUnterminated: true,
    isCutOff: false,
  })
  expect(scan('1,a,x\n2,b').scanner).toMatchObject({ recordCount: 1, isCutOff: true })
  expect(scan('1,a,x\n2,"b').scanner).toMatchObject({ recordCount: 1, isCutOff: true })
  expect(scan('1,"open,x\n2,b,x').scanner).toMatchObject({ recordCount: 1, brokenCount: 1, isCutOff: false })
})

test('Windows line ends are not part of the record', () => {
  const found = scan('1,a,x\r\n2,"b",c\r\n3,c,"z"\r\n')
  expect(found.records.map(({ text }) => text)).toEqual(['1,a,x', '2,"b",c', '3,c,"z"'])
  expect(found.scanner.carriageReturnCount).toBe(3)
})

const field = fc.string({ unit: fc.constantFrom('a', 'é', 'क', ',', '"', '\n', ' ', 'b'), maxLength: 8 })
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

test('any table written as CSV is read back record by record, however the bytes are cut into chunks', () => {
  const rows = fc.array(fc.tuple(field, field, field), { maxLength: 20 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 40 }), (table, chunkBytes) => {
      const written = table.map((row) => row.map(quoted).join(','))
      const found = scan(written.map((record) => `${record}\n`).join(''), chunkBytes)
      expect(found.broken).toEqual([])
      expect(found.records.map(({ text }) => text)).toEqual(written)
      let line = 2
      for (const [i, record] of written.entries()) {
        expect(found.records[i]?.line).toBe(line)
        line += record.split('\n').length
      }
    }),
  )
})

test('any bytes at all are scanned to the end, every line accounted for once', () => {
  const soup = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r'), maxLength: 120 })
  fc.assert(
    fc.property(soup, fc.integer({ min: 1, max: 50 }), (text, chunkBytes) => {
      const whole = scan(text)
      const cut = scan(text, chunkBytes)
      expect(cut.records).toEqual(whole.records)
      expect(cut.broken).toEqual(whole.broken)
      const lines = [...linesOf(whole), ...whole.broken.map(({ line }) => line)]
      expect(new Set(lines).size).toBe(lines.length)
    }),
    { numRuns: 500 },
  )
})
