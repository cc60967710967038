import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { column, DeltaTable } from '../src/index.ts'
import { idsOf, SHOP, shopRows, shopTable, TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

const LAYOUTS = [[], ['day']]

describe('delete', () => {
  test.each(LAYOUTS)(
    'removes rows for which the condition is true, partitioned by %s',
    async (...partitionColumns) => {
      const table = await shopTable(folder, engine, { partitionColumns })
      const result = await table.delete('id % 2 = 0 AND price < 20')
      expect(result.metrics.numDeletedRows).toBe(7)
      expect(await idsOf(table)).toEqual(
        Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 2 === 1 || i * 1.5 >= 20),
      )
      expect((await table.delete('id < 0')).kind).toBe('unchanged')
    },
  )

  test('a null condition keeps the row; files all of whose rows match are not written again', async () => {
    const table = await shopTable(folder, engine)
    await table.append(`SELECT 100 AS id, NULL AS name, NULL AS price, DATE '2024-03-01' AS day`)
    expect((await table.delete('price >= 0 AND id < 10')).metrics).toMatchObject({
      numRemovedFiles: 1,
      numAddedFiles: 0,
    })
    expect(await idsOf(table, 'price IS NULL')).toEqual([100])
    await table.delete()
    expect(await idsOf(table)).toEqual([])
  })

  test('an append-only table refuses it', async () => {
    const table = await shopTable(folder, engine, { properties: { 'delta.appendOnly': 'true' } })
    await expect(table.delete('id = 1')).rejects.toMatchObject({ code: 'DELTA_APPEND_ONLY' })
    await expect(table.overwrite(shopRows(0, 1))).rejects.toMatchObject({ code: 'DELTA_APPEND_ONLY' })
    expect((await table.optimize()).kind).toBe('committed')
    expect(await idsOf(table)).toHaveLength(30)
  })
})

describe('update', () => {
  test.each(LAYOUTS)(
    'sets columns of matching rows, the partition too, partitioned by %s',
    async (...partitionColumns) => {
      const table = await shopTable(folder, engine, { partitionColumns })
      await table.update({ set: { price: 'price + 1', DAY: "DATE '2025-01-01'" }, where: 'id IN (3, 13)' })
      expect(
        await table.rows(`SELECT id, price, day FROM {table} WHERE day > DATE '2024-12-31' ORDER BY id`),
      ).toEqual([
        { id: '3', price: 5.5, day: '2025-01-01' },
        { id: '13', price: 20.5, day: '2025-01-01' },
      ])
      expect(await idsOf(table)).toHaveLength(30)
    },
  )

  test('a value of another type or an unknown column is refused, and nothing is left', async () => {
    const table = await shopTable(folder, engine)
    const { version } = await table.snapshot()
    await expect(table.update({ set: { id: "'x'" } })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_MISMATCH',
    })
    await expect(table.update({ set: { nope: '1' } })).rejects.toMatchObject({ code: 'DELTA_VALUE_INVALID' })
    expect((await table.snapshot()).version).toBe(version)
    expect(await table.storage.listData()).toHaveLength(3)
  })
})

describe('merge', () => {
  test.each(LAYOUTS)(
    'updates, deletes and inserts in one commit, partitioned by %s',
    async (...partitionColumns) => {
      const table = await shopTable(folder, engine, { partitionColumns })
      const { version } = await table.snapshot()
      const result = await table.merge({
        source: shopRows(25, 35),
        on: 'target.id = source.id',
        whenMatched: [{ and: 'source.id = 25', delete: true }, { update: { name: `source.name || '!'` } }],
        whenNotMatched: [{ and: 'source.id < 34', insert: 'all' }],
      })
      expect(result).toMatchObject({
        version: version + 1,
        metrics: { numTargetRowsUpdated: 4, numTargetRowsDeleted: 1 },
      })
      expect(await idsOf(table)).toEqual(Array.from({ length: 34 }, (_, i) => i).filter((i) => i !== 25))
      expect(await idsOf(table, `name LIKE '%!'`)).toEqual([26, 27, 28, 29])
    },
  )

  test('rows of the table that match nothing can be changed too', async () => {
    const table = await shopTable(folder, engine)
    await table.merge({
      source: shopRows(0, 20),
      on: 'target.id = source.id',
      whenNotMatchedBySource: [{ and: 'target.id >= 25', delete: true }, { update: { name: `'old'` } }],
    })
    expect(await idsOf(table)).toHaveLength(25)
    expect(await idsOf(table, `name = 'old'`)).toEqual([20, 21, 22, 23, 24])
  })

  test('two source rows for one row of the table are refused, unless the row is only deleted', async () => {
    const table = await shopTable(folder, engine)
    const source = `${shopRows(5, 6)} UNION ALL ${shopRows(5, 6)}`
    const on = 'target.id = source.id'
    await expect(table.merge({ source, on, whenMatched: [{ update: 'all' }] })).rejects.toMatchObject({
      code: 'DELTA_MERGE_AMBIGUOUS',
    })
    await table.merge({ source, on, whenMatched: [{ delete: true }] })
    expect(await idsOf(table)).toHaveLength(29)
  })

  test('any sequence of deletes, updates, merges and compactions leaves what a map would hold', async () => {
    const id = fc.integer({ min: 0, max: 19 })
    const step = fc.oneof(
      fc.record({ kind: fc.constant('delete' as const), id, by: fc.integer({ min: 2, max: 5 }) }),
      fc.record({ kind: fc.constant('update' as const), id, by: fc.integer({ min: 2, max: 5 }) }),
      fc.record({ kind: fc.constant('merge' as const), id, by: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('optimize' as const), id, by: fc.constant(1) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...LAYOUTS),
        async (steps, partitionColumns) => {
          using own = new TestFolder()
          const table = await shopTable(own, engine, { partitionColumns })
          const expected = new Map(Array.from({ length: 30 }, (_, i) => [i, i * 1.5]))
          for (const { kind, id, by } of steps) {
            if (kind === 'delete') {
              await table.delete(`id % ${by} = 0 AND id >= ${id}`)
              for (const key of expected.keys()) if (key % by === 0 && key >= id) expected.delete(key)
            } else if (kind === 'update') {
              await table.update({ set: { price: `price + ${by}` }, where: `id % ${by} = 1 AND id < ${id}` })
              for (const [key, price] of expected)
                if (key % by === 1 && key < id) expected.set(key, price + by)
            } else if (kind === 'merge') {
              await table.merge({
                source: shopRows(id, id + by),
                on: 'target.id = source.id',
                whenMatched: [{ update: { price: '-source.price' } }],
                whenNotMatched: [{ insert: 'all' }],
              })
              for (let key = id; key < id + by; key++)
                expected.set(key, expected.has(key) ? -(key * 1.5) : key * 1.5)
            } else await table.optimize()
          }
          const rows = await (await DeltaTable.open(own.options(engine))).rows(
            'SELECT id, price FROM {table}',
          )
          const found = rows.map((row) => [Number(row.id), Number(row.price) + 0] as const)
          expect(new Map(found.sort(([a], [b]) => a - b))).toEqual(
            new Map([...expected].map(([key, price]) => [key, price + 0] as const).sort(([a], [b]) => a - b)),
          )
          expect(found).toHaveLength(expected.size)
        },
      ),
      { numRuns: 8 },
    )
  })
})

describe('what a table demands of its rows', () => {
  test('constraints, NOT NULL and invariants hold for every row written; a file that breaks them is not left', async () => {
    const table = await DeltaTable.create(folder.options(engine), {
      schema: {
        type: 'struct',
        fields: [
          column('id', 'long', { nullable: false }),
          {
            ...column('n', 'integer'),
            metadata: { 'delta.invariants': '{"expression":{"expression":"`n` < 100"}}' },
          },
        ],
      },
    })
    await table.append('SELECT 1::BIGINT AS id, 5 AS n')
    await table.addConstraint({ name: 'small', sql: `n <> 7 AND 'a' = "a"` })
    for (const sql of [
      'SELECT NULL::BIGINT AS id, 1 AS n',
      'SELECT 1 AS id, 100 AS n',
      'SELECT 1 AS id, 7 AS n',
      'SELECT 1 AS id, NULL::INTEGER AS n',
    ]) {
      await expect(table.append(sql), sql).rejects.toMatchObject({ code: 'DELTA_CONSTRAINT_VIOLATED' })
    }
    await expect(table.update({ set: { n: '7' } })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    })
    expect(await table.storage.listData()).toHaveLength(1)
    expect((await table.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 3 })
    await expect(table.addConstraint({ name: 'never', sql: 'n > 5' })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    })
    await table.dropConstraint('small')
    await table.append('SELECT 1 AS id, 7 AS n')
  })

  test('types fit without loss or are refused: nothing is cast silently', async () => {
    const fields = [
      column('l', 'long'),
      column('i', 'integer'),
      column('d', 'double'),
      column('m', 'decimal(10,2)'),
      column('s', 'string'),
      column('t', 'timestamp'),
      column('a', { type: 'array', elementType: 'integer', containsNull: true }),
    ]
    const table = await DeltaTable.create(folder.options(engine), { schema: { type: 'struct', fields } })
    const good: Record<string, string> = {
      l: '1',
      i: '1',
      d: '1.5',
      m: '1.25',
      s: `'x'`,
      t: `TIMESTAMPTZ '2024-01-01 00:00:00+00'`,
      a: '[1]',
    }
    const select = (change: Record<string, string>) =>
      `SELECT ${Object.entries({ ...good, ...change })
        .map(([name, sql]) => `${sql} AS ${name}`)
        .join(', ')}`
    await table.append(select({}))
    for (const change of [
      { l: `'5'` },
      { l: '1.0' },
      { l: '1.0::DOUBLE' },
      { i: '5000000000' },
      { m: '1.255' },
      { m: '1.5::DOUBLE' },
      { s: '5' },
      { t: `TIMESTAMP '2024-01-01'` },
      { t: `DATE '2024-01-01'` },
      { a: `['1']` },
      { d: 'true' },
    ] as Record<string, string>[]) {
      await expect(table.append(select(change)), JSON.stringify(change)).rejects.toMatchObject({
        code: 'DELTA_SCHEMA_MISMATCH',
      })
    }
    await table.append(select({ l: 'NULL', s: 'NULL', t: 'NULL', a: 'NULL', m: '3', d: '4' }))
    expect(await table.rows('SELECT l, s, t, a, m, d FROM {table} WHERE l IS NULL')).toEqual([
      { l: null, s: null, t: null, a: null, m: '3.00', d: 4 },
    ])
  })
})

describe('schema and properties', () => {
  test('columns are added by name or with the rows; older rows have NULL in them', async () => {
    const table = await shopTable(folder, engine, { partitionColumns: ['day'] })
    await table.addColumns([column('tags', { type: 'array', elementType: 'string', containsNull: true })])
    await table.append(`SELECT *, ['a'] AS tags, 5::TINYINT AS level FROM (${shopRows(30, 31)})`, {
      mergeSchema: true,
    })
    const { schema } = await (await DeltaTable.open(folder.options(engine))).snapshot()
    expect(schema.fields.map(({ name, type }) => [name, type]).slice(4)).toEqual([
      ['tags', { type: 'array', elementType: 'string', containsNull: true }],
      ['level', 'byte'],
    ])
    expect(
      await table.rows('SELECT count(*) AS n, count(tags) AS tags, sum(level) AS level FROM {table}'),
    ).toEqual([{ n: '31', tags: '1', level: '5' }])
    await table.delete('level IS NULL AND id > 2')
    expect(await idsOf(table)).toEqual([0, 1, 2, 30])
    await expect(table.addColumns([column('ID', 'long')])).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_INVALID',
    })
  })

  test('overwrite replaces everything, or the partitions it names', async () => {
    const table = await shopTable(folder, engine, { partitionColumns: ['day'] })
    const where = [{ column: 'day', op: '=', value: '2024-03-02' } as const]
    await expect(table.overwrite(shopRows(0, 3), { where })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    })
    await table.overwrite(shopRows(100, 101), { where })
    expect(await idsOf(table)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 3 !== 1),
      100,
    ])
    await table.overwrite(shopRows(7, 9))
    expect(await idsOf(table)).toEqual([7, 8])
  })

  test('restore brings back an older version, unless its files are gone', async () => {
    let nowMs = Date.now()
    const table = await DeltaTable.create(
      { ...folder.options(engine), now: () => nowMs },
      { schema: SHOP, properties: { 'delta.deletedFileRetentionDuration': 'interval 1 hour' } },
    )
    await table.append(shopRows(0, 5))
    const { version } = await table.snapshot()
    await table.addColumns([column('more', 'string')])
    await table.overwrite(`SELECT *, 'x' AS more FROM (${shopRows(5, 6)})`)
    await table.restore({ version })
    expect(await idsOf(table)).toEqual([0, 1, 2, 3, 4])
    expect((await table.snapshot()).schema.fields).toHaveLength(4)
    await table.overwrite(shopRows(9, 10))
    nowMs += 2 * 3_600_000
    expect(await table.vacuum()).toHaveLength(2)
    await expect(table.restore({ version })).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
    expect(await idsOf(table)).toEqual([9])
  })

  test('compaction keeps rows and partitions, sorts where asked, and frees deleted rows', async () => {
    const table = await shopTable(folder, engine, { partitionColumns: ['day'] })
    const before = await table.rows('SELECT * FROM {table} ORDER BY id')
    expect((await table.optimize()).metrics).toMatchObject({ numRemovedFiles: 9, numAddedFiles: 3 })
    expect((await table.optimize()).kind).toBe('unchanged')
    await table.optimize({
      sortBy: ['price DESC'],
      where: [{ column: 'day', op: 'in', values: ['2024-03-01'] }],
    })
    expect(await table.rows('SELECT * FROM {table} ORDER BY id')).toEqual(before)
    expect(await table.rows(`SELECT id FROM {table} WHERE day = DATE '2024-03-01' LIMIT 2`)).toEqual([
      { id: '27' },
      { id: '24' },
    ])
    const [entry] = await table.history(1)
    expect(entry).toMatchObject({ operation: 'OPTIMIZE' })
  })
})
