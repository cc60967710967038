import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type Filter, type StructType } from '../../src/index.ts'
import { Peers } from './peers.ts'
import { type Row, sorted } from './typed-rows.ts'

let peers: Peers
beforeAll(async () => {
  peers = await Peers.connect()
})
afterAll(() => peers[Symbol.dispose]())

const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    column('id', 'long'),
    column('big', 'long'),
    column('price', 'decimal(38,4)'),
    column('local', 'timestamp_ntz'),
    column('s', {
      type: 'struct',
      fields: [column('x', 'long'), column('t', { type: 'struct', fields: [column('y', 'string')] })],
    }),
  ],
}
/** Two files, which beyond 2^53 and in the 15th digit of a decimal differ little. */
const FILES: readonly (readonly Row[])[] = [
  [
    {
      id: '1',
      big: '9007199254740992',
      price: '1234567890123456789012345678901234.0001',
      local: '1969-12-31T23:59:59.999999',
      s: { x: '1', t: { y: 'a' } },
    },
    { id: '2', big: '9007199254740993', price: '0.1000', local: '2024-01-31T12:00:00.123456', s: null },
  ],
  [
    {
      id: '3',
      big: '9007199254740994',
      price: '1234667890123456789012345678901234.0002',
      local: '2024-01-31T12:00:00.125456',
      s: { x: '3', t: { y: 'c' } },
    },
    {
      id: '4',
      big: '9223372036854775807',
      price: '9999999999999999999999999999999999.9999',
      local: '2200-12-31T12:00:00.000000',
      s: { x: '4', t: null },
    },
  ],
]
/** Conditions, the rows that satisfy them, all of one file, and the same for Arus. */
const CONDITIONS: readonly (readonly [sql: string, file: number, filter: Filter])[] = [
  ['big <= 9007199254740993', 0, { column: 'big', op: '<=', value: 9007199254740993n }],
  ['big > 9007199254740993', 1, { column: 'big', op: '>=', value: 9007199254740994n }],
  [
    "price <= CAST('1234567890123456789012345678901234.0001' AS DECIMAL(38, 4))",
    0,
    { column: 'price', op: '<=', value: '1234567890123456789012345678901234.0001' },
  ],
  [
    "price >= CAST('1234667890123456789012345678901234.0002' AS DECIMAL(38, 4))",
    1,
    { column: 'price', op: '>=', value: '1234667890123456789012345678901234.0002' },
  ],
  [
    "local <= '2024-01-31 12:00:00.123456'",
    0,
    { column: 'local', op: '<=', value: '2024-01-31 12:00:00.123456' },
  ],
  [
    "local >= '2024-01-31 12:00:00.125456'",
    1,
    { column: 'local', op: '>=', value: '2024-01-31 12:00:00.125456' },
  ],
  ['s.x > 2', 1, { column: 's.x', op: '>', value: 2 }],
  ["s.t.y = 'a'", 0, { column: 's.t.y', op: '=', value: 'a' }],
]

async function newTable(writer: 'arus' | 'spark' | 'deltalake'): Promise<string> {
  const path = peers.newPath()
  await peers[writer].create(path, { schema: SCHEMA, partitionColumns: [], properties: {} })
  for (const rows of FILES) await peers[writer].append(path, SCHEMA, rows)
  return path
}

/** The data files with rows of `FILES[file]`. */
async function filesOf(path: string, file: number): Promise<readonly string[]> {
  const table = await peers.arus.open(path)
  const first = await table.relation({ snapshot: await table.at({ version: 1 }) })
  const { files } = await table.relation()
  return files.filter((one) => first.files.includes(one) === (file === 0))
}

const matching = (sql: string, file: number) =>
  FILES[file]
    ?.filter(({ s }) => !sql.startsWith('s.') || s !== null)
    .filter((row) => !sql.includes("'a'") || row.id === '1') ?? []

describe.each(CONDITIONS)('rows where %s, of a table by Arus', (sql, file) => {
  test('are read by Spark and deltalake; Spark leaves out the other file by its statistics', async () => {
    const path = await newTable('arus')
    const select = (from: string) => `SELECT * FROM ${from} WHERE ${sql}`
    expect(sorted((await peers.spark.sql(select(`delta.\`${path}\``))).rows)).toEqual(
      sorted(matching(sql, file)),
    )
    expect(sorted((await peers.deltalake.query(path, select('t'))).rows)).toEqual(sorted(matching(sql, file)))
    for (const other of await filesOf(path, 1 - file)) rmSync(other)
    expect(sorted((await peers.spark.sql(select(`delta.\`${path}\``))).rows)).toEqual(
      sorted(matching(sql, file)),
    )
    if (!sql.startsWith('s.'))
      expect(sorted((await peers.deltalake.query(path, select('t'))).rows)).toEqual(
        sorted(matching(sql, file)),
      )
  })
})

describe.each(['spark', 'deltalake'] as const)('of a table by %s', (writer) => {
  test('Arus chooses the files, never too few; by the statistics of Spark none of other rows', async () => {
    const path = await newTable(writer)
    const table = await peers.arus.open(path)
    for (const [sql, file, filter] of CONDITIONS) {
      const where = [filter]
      const rows = await table.rows(`SELECT id FROM {table} WHERE ${sql} ORDER BY id`, { where })
      expect(rows, sql).toEqual(matching(sql, file).map(({ id }) => ({ id })))
      if (writer === 'deltalake') continue
      const { files } = await table.relation({ where })
      expect(await filesOf(path, file), sql).toEqual(expect.arrayContaining([...files]))
    }
  })
})
