import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { relationOf } from '../src/duckdb/relation.ts'
import { column, DeltaTable } from '../src/index.ts'
import { filesToScan, openScan, type Scan } from '../src/scan.ts'
import { TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

/** Files of twenty rows in partitions that folders tell, that they do not tell, and null. */
async function partitionedScan(): Promise<Scan> {
  const table = await DeltaTable.create(folder.options(engine), {
    schema: {
      type: 'struct',
      fields: [column('n', 'integer'), column('p', 'string'), column('d', 'date')],
    },
    partitionColumns: ['p', 'd'],
  })
  const partitions = [
    [`'plain'`, `DATE '2024-03-01'`],
    [`'it''s a/b%é'`, 'NULL'],
    ['NULL', `DATE '0001-01-01'`],
    [`'NULL'`, `DATE '2024-03-01'`],
  ]
  const selects = partitions.map(
    ([p, d]) => `SELECT i::INTEGER AS n, ${p} AS p, ${d} AS d FROM range(20) t(i)`,
  )
  await table.append(selects.join(' UNION ALL '))
  const snapshot = await table.snapshot()
  return openScan(table.storage, snapshot, { files: filesToScan(snapshot), withPosition: true })
}

const DELETED: readonly (readonly number[] | null)[] = [
  null,
  [],
  [0],
  [19],
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  Array.from({ length: 20 }, (_, row) => row),
]

test.each([0, 1, 2, 3, 4, 5])(
  'joined to its files, what the log says of them gives the same rows (%#)',
  async (offset) => {
    const whole = await partitionedScan()
    expect(whole.files).toHaveLength(4)
    const files = whole.files.map((file, i) => {
      const rows = DELETED[(offset + i) % DELETED.length] ?? null
      return { ...file, deletedRows: rows && Float64Array.from(rows) }
    })
    const rowsOf = (groupsMax: number) =>
      engine.rows(`SELECT * FROM ${relationOf({ ...whole, files }, { groupsMax })} ORDER BY ALL`)
    const deletedCount = files.reduce((sum, file) => sum + (file.deletedRows?.length ?? 0), 0)
    const joined = await rowsOf(0)
    expect(joined).toHaveLength(80 - deletedCount)
    expect(joined).toEqual(await rowsOf(1000))
  },
)

test('a table of more partitions than SELECTs are made for is read, changed and read again', async () => {
  const table = await DeltaTable.create(folder.options(engine), {
    schema: { type: 'struct', fields: [column('id', 'long'), column('p', 'string')] },
    partitionColumns: ['p'],
  })
  await table.append(`SELECT i AS id, 'p ' || i AS p FROM range(120) t(i)`)
  await table.update({ set: { id: 'id + 1000' }, where: `p = 'p 7'` })
  await table.delete(`p = 'p 8'`)
  const [row] = await table.rows('SELECT count(*) AS n, max(id) AS id, count(DISTINCT p) AS p FROM {table}')
  expect(row).toEqual({ n: '119', id: '1007', p: '119' })
  expect(await table.rows(`SELECT id FROM {table} WHERE p = 'p 9'`)).toEqual([{ id: '9' }])
})
