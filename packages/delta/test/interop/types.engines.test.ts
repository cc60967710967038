import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type DataType, type PrimitiveType, type StructType } from '../../src/index.ts'
import { expectAllRead, PEER_NAMES, Peers } from './peers.ts'
import type { Row, Typed } from './typed-rows.ts'

let peers: Peers
beforeAll(async () => {
  peers = await Peers.connect()
})
afterAll(() => peers[Symbol.dispose]())

const struct = (...fields: StructType['fields']): StructType => ({ type: 'struct', fields })
const array = (elementType: DataType): DataType => ({ type: 'array', elementType, containsNull: true })
const map = (keyType: DataType, valueType: DataType): DataType => ({
  type: 'map',
  keyType,
  valueType,
  valueContainsNull: true,
})

/** A column per type, and values at its edges that every engine can hold. */
const PRIMITIVES: readonly (readonly [type: PrimitiveType, values: readonly Typed[]])[] = [
  ['string', ['', 'NULL', 'é 🎉 "\'\\ \n\t\u0001', 'x'.repeat(300)]],
  ['long', ['9223372036854775807', '-9223372036854775808', '0', '9007199254740993']],
  ['integer', [2147483647, -2147483648, 0, 1]],
  ['short', [32767, -32768, 0, 1]],
  ['byte', [127, -128, 0, 1]],
  ['float', [3.4028234663852886e38, 0.10000000149011612, 'NaN', '-Infinity']],
  ['double', [1.7976931348623157e308, 5e-324, 'NaN', 'Infinity']],
  ['decimal(38,0)', ['99999999999999999999999999999999999999', '-1', '0', '7']],
  ['decimal(18,6)', ['123456789012.345678', '-0.000001', '0.000000', '1.500000']],
  ['decimal(9,2)', ['9999999.99', '-0.01', '0.00', '1.50']],
  ['boolean', [true, false, true, false]],
  ['binary', ['', '00FF41', '5C78', 'E9']],
  ['date', ['2024-02-29', '1969-12-31', '1900-01-01', '2200-12-31']],
  [
    'timestamp',
    [
      '2024-02-29T23:59:59.999999Z',
      '1969-12-31T23:59:59.999999Z',
      '1900-01-01T00:00:00.000000Z',
      '2200-12-31T12:00:00.123456Z',
    ],
  ],
]
const NESTED: readonly (readonly [type: DataType, values: readonly Typed[]])[] = [
  [array('integer'), [[1, null, 3], [], [2147483647], null]],
  [array(array('string')), [[['a'], [], null], [], null, [['b', null]]]],
  [
    map('string', 'double'),
    [
      [
        ['a', 1.5],
        ['b', null],
      ],
      [],
      null,
      [['', 'NaN']],
    ],
  ],
  [map('integer', array('date')), [[[1, ['2024-01-31', null]]], [], null, [[2, []]]]],
  [
    struct(column('x', 'long'), column('y', 'timestamp')),
    [{ x: '1', y: '2024-01-31T00:00:00.000001Z' }, { x: null, y: null }, null, { x: '-1', y: null }],
  ],
  [
    array(struct(column('k', 'decimal(9,2)'), column('deep', struct(column('b', 'boolean'))))),
    [[{ k: '1.00', deep: { b: true } }, null], [], null, [{ k: null, deep: null }]],
  ],
]

const COLUMNS = [...PRIMITIVES, ...NESTED]
const SCHEMA = struct(...COLUMNS.map(([type], i) => column(`c${i}`, type)))
const NULLS: Row = Object.fromEntries(SCHEMA.fields.map(({ name }) => [name, null]))
const ROWS: readonly Row[] = [
  ...[0, 1, 2, 3].map((row) =>
    Object.fromEntries(COLUMNS.map(([, values], i) => [`c${i}`, values[row] ?? null])),
  ),
  NULLS,
]

describe.each(PEER_NAMES)('a table by %s of every type', (writer) => {
  test('reads the same everywhere, and everyone writes on', async () => {
    const path = peers.newPath()
    await peers.named(writer).create(path, { schema: SCHEMA, partitionColumns: [], properties: {} })
    await peers.named(writer).append(path, SCHEMA, ROWS)
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: ROWS })
    for (const other of peers.others(writer)) await other.append(path, SCHEMA, ROWS)
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: [...ROWS, ...ROWS, ...ROWS] })
  })

  test('that holds only empty values, or none, reads as such', async () => {
    const path = peers.newPath()
    await peers.named(writer).create(path, { schema: SCHEMA, partitionColumns: [], properties: {} })
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: [] })
    await peers.named(writer).append(path, SCHEMA, [NULLS])
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: [NULLS] })
  })
})

describe.each(PEER_NAMES)('by %s', (writer) => {
  const peer = () =>
    // Spark's default, INT96, holds nanoseconds since 1970 in 64 bits for most readers: 1677 to 2262.
    writer === 'Spark'
      ? peers.spark.with({ 'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS' })
      : peers.named(writer)

  test('the first and the last day of the calendar read the same everywhere', async () => {
    const schema = struct(column('id', 'integer'), column('day', 'date'), column('at', 'timestamp'))
    const rows = [
      { id: 1, day: '0001-01-01', at: '0001-01-01T00:00:00.000001Z' },
      { id: 2, day: '9999-12-31', at: '9999-12-31T23:59:59.999999Z' },
      { id: 3, day: '1582-10-15', at: '1582-10-04T12:00:00.000000Z' },
    ]
    const path = peers.newPath()
    await peer().create(path, { schema, partitionColumns: [], properties: {} })
    await peer().append(path, schema, rows)
    await expectAllRead(peers.all, path, { schema, rows })
  })

  test('timestamps without time zone read the same everywhere, and everyone writes on', async () => {
    const schema = struct(
      column('id', 'integer'),
      column('at', 'timestamp_ntz'),
      column('all', array('timestamp_ntz')),
    )
    const rows = [
      { id: 1, at: '2024-02-29T23:59:59.999999', all: ['1969-12-31T23:59:59.000001', null] },
      { id: 2, at: null, all: null },
    ]
    const path = peers.newPath()
    await peer().create(path, { schema, partitionColumns: [], properties: {} })
    await peer().append(path, schema, rows)
    await expectAllRead(peers.all, path, { schema, rows })
    for (const other of peers.others(writer)) await other.append(path, schema, rows)
    await expectAllRead(peers.all, path, { schema, rows: [...rows, ...rows, ...rows] })
  })

  test('column names beyond ASCII and with dashes work everywhere', async () => {
    const schema = struct(
      column('id', 'integer'),
      column('größe', 'string'),
      column('Grösse', 'string'),
      column('a-b', 'long'),
    )
    const rows = [{ id: 1, größe: 'x', Grösse: 'y', 'a-b': '1' }]
    const path = peers.newPath()
    await peer().create(path, { schema, partitionColumns: [], properties: {} })
    await peer().append(path, schema, rows)
    await expectAllRead(peers.all, path, { schema, rows })
  })

  test('a column that must not be null refuses null from everyone', async () => {
    const schema = struct(column('id', 'integer', { nullable: false }), column('name', 'string'))
    const path = peers.newPath()
    await peer().create(path, { schema, partitionColumns: [], properties: {} })
    await peer().append(path, schema, [{ id: 1, name: null }])
    const loose = struct(column('id', 'integer'), column('name', 'string'))
    for (const each of peers.all)
      await expect(each.append(path, loose, [{ id: null, name: 'x' }]), each.name).rejects.toThrow()
    await expectAllRead(peers.all, path, { schema, rows: [{ id: 1, name: null }] })
  })
})
