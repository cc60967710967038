import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { column, type DataType, DeltaTable, type Filter } from '../src/index.ts'
import { TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

const struct = (...fields: ReturnType<typeof column>[]): DataType => ({ type: 'struct', fields })
const FIELDS = [
  column('n', 'long'),
  column('m', 'decimal(38,4)'),
  column(
    's',
    struct(column('a.b', 'long'), column('deep', struct(column('x', 'double'), column('"q"', 'string')))),
  ),
  column('l', { type: 'array', elementType: struct(column('z', 'long')), containsNull: true }),
  column('a.b', 'decimal(9,2)'),
]

async function newTable(): Promise<DeltaTable> {
  return DeltaTable.create(folder.options(engine), { schema: { type: 'struct', fields: FIELDS } })
}

const rowOf = (n: string, m: string, s: string) =>
  `SELECT (${n})::BIGINT AS n, ${m}::DECIMAL(38,4) AS m, ${s} AS s, [{z: 1}] AS l, 0.50::DECIMAL(9,2) AS "a.b"`
const structOf = (ab: string, x: string) => `{'a.b': (${ab})::BIGINT, deep: {x: (${x})::DOUBLE, '"q"': 'q'}}`

describe('statistics of a file', () => {
  test('hold all digits of integers and decimals, and the fields within structs', async () => {
    const table = await newTable()
    await table.append(
      [
        rowOf(
          '9007199254740993',
          `'-1234567890123456789012345678901234.0001'`,
          structOf('9223372036854775807', '1.5'),
        ),
        rowOf('-9223372036854775808', `'0.1000'`, structOf('NULL', '-2')),
        rowOf('NULL', 'NULL', 'NULL'),
      ].join(' UNION ALL '),
    )
    const [file] = (await table.snapshot()).files.values()
    expect(file?.stats).toBe(
      `{"numRecords":3,` +
        `"minValues":{"n":-9223372036854775808,"m":-1234567890123456789012345678901234.0001,"s":{"a.b":9223372036854775807,"deep":{"x":-2,"\\"q\\"":"q"}},"a.b":0.50},` +
        `"maxValues":{"n":9007199254740993,"m":0.1000,"s":{"a.b":9223372036854775807,"deep":{"x":1.5,"\\"q\\"":"q"}},"a.b":0.50},` +
        `"nullCount":{"n":1,"m":1,"s":{"a.b":2,"deep":{"x":1,"\\"q\\"":1}},"a.b":0}}`,
    )
  })

  test('tell neighbours beyond 2^53 apart, in and out of a checkpoint, and never leave out a row that is there', async () => {
    const table = await newTable()
    for (const i of [0n, 1n, 2n, 3n]) {
      const big = 9007199254740992n + i
      await table.append(rowOf(String(big), `'${big}.000${i}'`, structOf(String(-big), String(i))))
    }
    await table.checkpoint(await table.snapshot())
    const opened = await DeltaTable.open(folder.options(engine))
    const count = async (column: string, op: '=' | '>' | '<=', value: bigint | string) => {
      const where: Filter[] = [{ column, op, value }]
      return (await opened.relation({ where })).files.length
    }
    for (const i of [0n, 1n, 2n, 3n]) {
      const big = 9007199254740992n + i
      expect(await count('n', '=', big)).toBe(1)
      expect(await count('s.a.b', '=', -big)).toBe(1)
      expect(await count('S.Deep.X', '=', String(i))).toBe(1)
      // As doubles, which other writers make of decimals, these are the same.
      expect(await count('m', '=', `${big}.000${i}`)).toBe(4)
    }
    expect(await count('n', '<=', 9007199254740993n)).toBe(2)
    expect(await count('m', '>', '9007199254741992')).toBe(0)
    expect(await count('m', '<=', '9007199254730992.5')).toBe(0)
    expect(await count('a.b', '=', '0.5')).toBe(4)
    expect(await count('a.b', '>', '0.51')).toBe(0)
    await expect(count('s.nope', '=', 1n)).rejects.toMatchObject({ code: 'DELTA_VALUE_INVALID' })
    await expect(count('l.z', '=', 1n)).rejects.toMatchObject({ code: 'DELTA_VALUE_INVALID' })
  })

  test('of decimals that another writer wrote as doubles leave out no row', async () => {
    const table = await newTable()
    await table.append(rowOf('1', `'12345678901234567.8901'`, structOf('1', '1')))
    const [file] = (await table.snapshot()).files.values()
    const stats = `{"numRecords":1,"minValues":{"m":12345678901234570.0},"maxValues":{"m":12345678901234566.0},"nullCount":{"m":0}}`
    await table.commit({
      add: [],
      remove: [file!],
      restore: [{ ...file!, stats }],
      readVersion: 1,
      operation: 'WRITE',
    })
    const where: Filter[] = [{ column: 'm', op: '=', value: '12345678901234567.8901' }]
    expect((await table.relation({ where })).files).toHaveLength(1)
  })

  test('of fields within structs choose by what is not null; a field of a null struct may count as null or not', async () => {
    const table = await newTable()
    await table.append(rowOf('1', '1', 'NULL'))
    await table.append(rowOf('1', '1', structOf('NULL', '1')))
    const files = async (column: string, op: 'is null' | 'is not null') =>
      (await table.relation({ where: [{ column, op }] })).files.length
    expect(await files('s.a.b', 'is not null')).toBe(0)
    expect(await files('s.deep.x', 'is not null')).toBe(1)
    expect(await files('s.deep.x', 'is null')).toBe(2)
  })
})
