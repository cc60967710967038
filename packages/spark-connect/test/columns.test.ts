import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesOf, batchOf, batchOfColumns, streamOf } from '../src/local-data.ts'
import { rowsOf } from '../src/rows.ts'
import { type DataType, type StructType, structOf } from '../src/schema.ts'

const MICROS_MAX = 253_402_300_799_999_999n
const MICROS_MIN = -62_135_596_800_000_000n

interface Typed {
  readonly type: DataType
  readonly value: fc.Arbitrary<unknown>
}

/** Values in the form in which they are read back. */
const simple: readonly Typed[] = [
  { type: 'boolean', value: fc.boolean() },
  { type: 'byte', value: fc.integer({ min: -128, max: 127 }) },
  { type: 'short', value: fc.integer({ min: -32768, max: 32767 }) },
  { type: 'integer', value: fc.integer() },
  { type: 'long', value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { type: 'float', value: fc.float() },
  { type: 'double', value: fc.double() },
  { type: 'string', value: fc.string({ unit: 'grapheme' }) },
  { type: 'binary', value: fc.uint8Array({ maxLength: 40 }) },
  {
    type: 'date',
    value: fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  },
  { type: 'timestamp', value: fc.date({ noInvalidDate: true }) },
  { type: 'timestamp_ntz', value: fc.bigInt({ min: MICROS_MIN, max: MICROS_MAX }).map(localTime) },
  {
    type: 'time(6)',
    value: fc.bigInt({ min: 0n, max: 86_399_999_999n }).map((micros) => localTime(micros).slice(11)),
  },
  { type: 'interval day to second', value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { type: 'interval year to month', value: fc.integer() },
  { type: 'decimal(38,0)', value: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map(String) },
  {
    type: 'decimal(7,3)',
    value: fc
      .integer({ min: -9_999_999, max: 9_999_999 })
      .map((thousandths) => (thousandths / 1000).toFixed(3))
      .map((text) => (text === '-0.000' ? '0.000' : text)),
  },
]

function localTime(micros: bigint): string {
  const ms = micros < 0n && micros % 1000n !== 0n ? micros / 1000n - 1n : micros / 1000n
  const date = new Date(Number(ms)).toISOString().slice(0, -1)
  return `${date}${String(micros - ms * 1000n).padStart(3, '0')}`
}

const { typed } = fc.letrec<{ typed: Typed }>((tie) => ({
  typed: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom(...simple),
    tie('typed').map((element) => ({
      type: { type: 'array', elementType: element.type, containsNull: true } as const,
      value: fc.array(fc.option(element.value), { maxLength: 4 }),
    })),
    tie('typed').map((element) => ({
      type: { type: 'map', keyType: 'string', valueType: element.type, valueContainsNull: true } as const,
      value: fc
        .dictionary(fc.string(), fc.option(element.value), { maxKeys: 3 })
        .map((o) => new Map(Object.entries(o))),
    })),
    fc.array(tie('typed'), { minLength: 1, maxLength: 3 }).map((elements) => ({
      type: structOf(Object.fromEntries(elements.map(({ type }, index) => [`f${index}`, type]))),
      value: fc.tuple(...elements.map(({ value }) => fc.option(value))).map(namedFields),
    })),
  ),
}))

function namedFields(values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(values.map((value, index) => [`f${index}`, value]))
}

const table = fc.array(typed, { minLength: 1, maxLength: 4 }).chain((columns) =>
  fc
    .array(fc.tuple(...columns.map(({ value }) => fc.option(value))).map(namedFields), { maxLength: 20 })
    .map((rows) => ({
      schema: structOf(namedFields(columns.map(({ type }) => type)) as Record<string, DataType>),
      rows,
    })),
)

function roundTrip(rows: readonly Record<string, unknown>[], schema: StructType): unknown[] {
  return batchesOf(streamOf(batchOf(rows, schema))).flatMap((batch) => [...rowsOf(batch)])
}

describe('columns', () => {
  test('rows of any types, nulls and nesting come back as they were', () => {
    fc.assert(
      fc.property(table, ({ schema, rows }) => {
        expect(roundTrip(rows, schema)).toEqual(rows)
      }),
      { numRuns: 300 },
    )
  })

  test.each<[DataType, unknown]>([
    ['byte', 128],
    ['integer', 1.5],
    ['integer', '1'],
    ['long', 2n ** 63n],
    ['long', 2 ** 60],
    ['double', '1'],
    ['boolean', 1],
    ['string', 1],
    ['string', '\ud800'],
    ['binary', 'text'],
    ['date', '2023-02-29'],
    ['date', new Date(Number.NaN)],
    ['timestamp', '2024-01-01'],
    ['timestamp_ntz', '2024-01-01T25:00:00'],
    ['time(6)', '24:00:00'],
    ['decimal(4,2)', '100.00'],
    ['decimal(4,2)', '1.234'],
    ['decimal(4,2)', 'one'],
    [{ type: 'array', elementType: 'long', containsNull: true }, 'abc'],
    [{ type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true }, 7],
    [structOf({ a: 'long' }), 7],
  ])('%j does not take %o', (type, value) => {
    expect(() => batchOf([{ column: value }], structOf({ column: type }))).toThrow(/^Column column/)
  })

  test('a null where the schema allows none is refused', () => {
    const field = { name: 'id', type: 'long', nullable: false, metadata: {} }
    expect(() => batchOf([{ id: null }], { type: 'struct', fields: [field] })).toThrow('id')
  })

  test('a type that cannot be sent is named', () => {
    expect(() => batchOf([{ v: 1 }], structOf({ v: 'variant' }))).toThrow('variant')
  })

  test('columns of one name are refused instead of losing one', () => {
    const [batch] = batchesOf(streamOf(batchOf([{ a: 1, b: 2 }], structOf({ a: 'long', b: 'long' }))))
    const { schema } = batch!
    Object.assign(schema.fields[1]!, { name: 'a' })
    expect(() => [...rowsOf(batch!)]).toThrow('Rows cannot hold these columns: a')
  })

  test('microseconds of a timestamp are kept when they are asked for', () => {
    const [batch] = batchesOf(streamOf(batchOf([{ at: -1n }], structOf({ at: 'timestamp' }))))
    expect([...rowsOf(batch!, 'micros')]).toEqual([{ at: -1n }])
    expect([...rowsOf(batch!)]).toEqual([{ at: new Date(-1) }])
  })
})

test('columns that are there as typed arrays go as they are, whole or a part of them', () => {
  const batch = batchOfColumns({
    user: Int32Array.of(1, 2, -3),
    rating: Float32Array.of(0.5, 1, 2),
    at: BigInt64Array.of(7n, 8n, 9n),
    score: Float64Array.of(0.1, 0.2, 0.3),
  })
  const rows = (part: typeof batch) => batchesOf(streamOf(part)).flatMap((one) => [...rowsOf(one)])
  const last = { user: -3, rating: 2, at: 9n, score: 0.3 }
  expect(rows(batch)).toEqual([
    { user: 1, rating: 0.5, at: 7n, score: 0.1 },
    { user: 2, rating: 1, at: 8n, score: 0.2 },
    last,
  ])
  expect(rows(batch.slice(2, 3))).toEqual([last])
})
