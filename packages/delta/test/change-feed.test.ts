import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage } from '../src/index.ts'
import { faultAt } from './fault-plan.ts'
import { FaultyStorage } from './faulty-storage.ts'
import { actionsOf, changeFilesOf, expectReplayed, FEED, feedOf, feedTable } from './feed-table.ts'
import { idsOf, SHOP, shopRows, TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

const LAYOUTS: readonly (readonly string[])[] = [[], ['day']]
describe('a version without change data files', () => {
  test('is told by the files that it added and removed; a compaction tells nothing', async () => {
    const table = await feedTable(folder, engine)
    expect((await table.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 4 })
    await table.append(shopRows(0, 3))
    await table.overwrite(shopRows(2, 4))
    await table.append(shopRows(4, 6))
    await table.optimize()
    await table.delete()
    expect(await feedOf(table, 0, 5)).toEqual([
      { version: 1, type: 'insert', ids: [0, 1, 2] },
      { version: 2, type: 'delete', ids: [0, 1, 2] },
      { version: 2, type: 'insert', ids: [2, 3] },
      { version: 3, type: 'insert', ids: [4, 5] },
      { version: 5, type: 'delete', ids: [2, 3, 4, 5] },
    ])
    expect(await feedOf(table, 4)).toEqual([])
    expect((await table.storage.listData()).filter(({ path }) => path.startsWith('_'))).toEqual([])
    await expect(table.changes({ from: 9, to: 9 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
  })

  test('is what a delete of whole files, a partition that is replaced, a merge that only inserts and a restore make', async () => {
    const table = await feedTable(folder, engine, { partitionColumns: ['day'] })
    await table.append(shopRows(0, 6))
    await table.delete(`day = DATE '2024-03-01'`)
    await table.overwrite(shopRows(7, 8), { where: [{ column: 'day', op: '=', value: '2024-03-02' }] })
    await table.merge({
      source: shopRows(7, 9),
      on: 'target.id = source.id',
      whenNotMatched: [{ insert: 'all' }],
    })
    await table.restore({ version: 1 })
    expect(await feedOf(table, 2, 5)).toEqual([
      { version: 2, type: 'delete', ids: [0, 3] },
      { version: 3, type: 'delete', ids: [1, 4] },
      { version: 3, type: 'insert', ids: [7] },
      { version: 4, type: 'insert', ids: [8] },
      { version: 5, type: 'delete', ids: [7, 8] },
      { version: 5, type: 'insert', ids: [0, 1, 3, 4] },
    ])
    for (const version of [2, 3, 4, 5]) expect(changeFilesOf(table, version)).toEqual([])
  })
})

test('versions from while the feed was off are refused, each by its number', async () => {
  const table = await feedTable(folder, engine, { properties: { 'delta.enableChangeDataFeed': 'false' } })
  await table.append(shopRows(0, 3))
  await table.setProperties(FEED)
  await table.append(shopRows(3, 5))
  await table.setProperties({ 'delta.enableChangeDataFeed': null })
  await table.delete('id = 0')
  const refused = async (from: number, to: number, version: number) =>
    expect(table.changes({ from, to })).rejects.toMatchObject({
      code: 'DELTA_FEATURE_UNSUPPORTED',
      message: expect.stringContaining(`at version ${version} `),
    })
  await refused(3, 3, 5)
  await table.setProperties(FEED)
  await table.append(shopRows(5, 6))
  await refused(1, 3, 1)
  await refused(0, 7, 0)
  await refused(2, 7, 4)
  await refused(5, 7, 5)
  expect(await feedOf(table, 2, 3)).toEqual([{ version: 3, type: 'insert', ids: [3, 4] }])
  expect(await feedOf(table, 6, 7)).toEqual([{ version: 7, type: 'insert', ids: [5] }])
})

describe.each(LAYOUTS)('changes of single rows, partitioned by %s', (...partitionColumns) => {
  const start = async () => {
    const table = await feedTable(folder, engine, { partitionColumns })
    await table.append(shopRows(0, 6))
    await table.append(shopRows(6, 12))
    return table
  }

  test('a delete tells all its rows by change data files, those of whole files too', async () => {
    const table = await start()
    await table.delete('id <= 7')
    expect(await feedOf(table, 3)).toEqual([{ version: 3, type: 'delete', ids: [0, 1, 2, 3, 4, 5, 6, 7] }])
    const files = changeFilesOf(table, 3)
    expect(files.length).toBe(partitionColumns.length === 0 ? 1 : 3)
    for (const { path, size, dataChange, partitionValues } of files) {
      expect(path).toMatch(/^_change_data\//)
      expect((await table.storage.read(path)).byteLength).toBe(size)
      expect(dataChange).toBe(false)
      expect(Object.keys(partitionValues)).toEqual(partitionColumns)
    }
    expect(await idsOf(table)).toEqual([8, 9, 10, 11])
  })

  test('an update tells rows before and after; data files hold no change type', async () => {
    const table = await start()
    await table.update({ set: { price: '-price', DAY: `DATE '2025-01-01'` }, where: 'id IN (2, 8)' })
    const feed = await table.changes({ from: 3, to: 3 })
    const day = '2024-03-03'
    expect(
      await engine.rows(
        `SELECT id, name, price, day, _change_type AS type FROM ${feed} ORDER BY id, type DESC`,
      ),
    ).toEqual([
      { id: '2', name: 'n2', price: 3, day, type: 'update_preimage' },
      { id: '2', name: 'n2', price: -3, day: '2025-01-01', type: 'update_postimage' },
      { id: '8', name: 'n8', price: 12, day, type: 'update_preimage' },
      { id: '8', name: 'n8', price: -12, day: '2025-01-01', type: 'update_postimage' },
    ])
    for (const { path } of (await table.snapshot()).files.values()) {
      const file = sqlText(table.storage.localPath(decodeURIComponent(path)))
      const names = await engine.rows(`SELECT name FROM parquet_schema(${file})`)
      expect(names.map(({ name }) => name)).not.toContain('_change_type')
    }
  })

  test('a merge tells what it updates, deletes and inserts', async () => {
    const table = await start()
    await table.merge({
      source: shopRows(4, 14),
      on: 'target.id = source.id',
      whenMatched: [
        { and: 'source.id = 5', delete: true },
        { and: 'source.id < 8', update: { name: `'changed'` } },
      ],
      whenNotMatched: [{ insert: { id: 'source.id', day: 'source.day' } }],
      whenNotMatchedBySource: [
        { and: 'target.id = 0', delete: true },
        { and: 'target.id = 1', update: { price: 'NULL' } },
      ],
    })
    expect(await feedOf(table, 3)).toEqual([
      { version: 3, type: 'delete', ids: [0, 5] },
      { version: 3, type: 'insert', ids: [12, 13] },
      { version: 3, type: 'update_postimage', ids: [1, 4, 6, 7] },
      { version: 3, type: 'update_preimage', ids: [1, 4, 6, 7] },
    ])
    expect(await idsOf(table, `name = 'changed'`)).toEqual([4, 6, 7])
    expect(await idsOf(table, 'price IS NULL')).toEqual([1, 12, 13])
  })

  test('conditions and values that are random are evaluated once for table and feed', async () => {
    const table = await start()
    await table.update({
      set: { price: 'random()', name: 'uuid()::VARCHAR' },
      where: 'random() < 0.5 OR id = 3',
    })
    await table.delete('random() < 0.5 OR id = 4')
    await table.merge({
      source: shopRows(0, 20),
      on: 'target.id = source.id',
      whenMatched: [{ and: 'random() < 0.5 OR source.id = 3', update: { name: 'uuid()::VARCHAR' } }],
      whenNotMatched: [{ insert: { id: 'source.id', day: 'source.day', name: 'uuid()::VARCHAR' } }],
    })
    for (const version of [3, 4, 5]) await expectReplayed(table, version - 1, version)
  })

  test('any history is told so that replaying it on the rows before gives those after', async () => {
    const id = fc.integer({ min: 0, max: 14 })
    const by = fc.integer({ min: 1, max: 5 })
    const kind = fc.constantFrom('append', 'delete', 'update', 'merge', 'optimize', 'overwrite', 'restore')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kind, id, by }), { minLength: 1, maxLength: 9 }),
        fc.nat(),
        fc.nat(),
        async (steps, a, b) => {
          using own = new TestFolder()
          const table = await feedTable(own, engine, { partitionColumns })
          await table.append(shopRows(0, 10))
          for (const step of steps) await apply(table, step)
          const { version } = await table.snapshot()
          for (let each = 1; each <= version; each++) await expectReplayed(table, each - 1, each)
          const [from, to] = [a % (version + 1), b % (version + 1)].sort((x, y) => x - y)
          await expectReplayed(table, from ?? 0, to ?? 0)
        },
      ),
      { numRuns: 10 },
    )
  })
})

interface Step {
  readonly kind: string
  readonly id: number
  readonly by: number
}

async function apply(table: DeltaTable, { kind, id, by }: Step): Promise<unknown> {
  if (kind === 'append') return table.append(shopRows(id, id + by))
  if (kind === 'delete') return table.delete(`id % ${by} = 0 AND id >= ${id}`)
  if (kind === 'overwrite') return table.overwrite(shopRows(id, id + by))
  if (kind === 'restore') return table.restore({ version: id % ((await table.snapshot()).version + 1) })
  if (kind === 'optimize') return table.optimize()
  if (kind === 'update') {
    return table.update({
      set: { price: 'price + 1', day: 'day + 1' },
      where: `id % ${by} = 0 AND id < ${id}`,
    })
  }
  return table.merge({
    source: shopRows(id, id + by),
    on: 'target.id = source.id',
    whenMatched: [{ and: `source.id % 3 = 0`, delete: true }, { update: { name: `target.name || '!'` } }],
    whenNotMatched: [{ and: 'source.id % 4 > 0', insert: 'all' }],
  })
}

describe('change data files', () => {
  test('are written again with the change when another commit came between; those of the first try are gone', async () => {
    const table = await feedTable(folder, engine)
    await table.append(shopRows(0, 4))
    const other = await DeltaTable.open(folder.options(await DuckDbParquetEngine.open()))
    let commits = 0
    const commit = table.commit.bind(table)
    table.commit = async (request) => {
      if (commits++ === 0) await other.update({ set: { price: '100' }, where: 'id = 1' })
      return commit(request)
    }
    await table.update({ set: { price: 'price + 1' }, where: 'id < 3' })
    expect(commits).toBe(2)
    const feed = await table.changes({ from: 3, to: 3 })
    expect(
      await engine.rows(`SELECT price, _change_type AS type FROM ${feed} WHERE id = 1 ORDER BY price`),
    ).toEqual([
      { price: 100, type: 'update_preimage' },
      { price: 101, type: 'update_postimage' },
    ])
    const named = [2, 3].flatMap((version) => changeFilesOf(table, version).map(({ path }) => path))
    const there = (await table.storage.listData()).map(({ path }) => path)
    expect(there.filter((path) => path.startsWith('_change_data')).sort()).toEqual(named.sort())
    expect(there).toHaveLength(named.length + 3)
  })

  test('are not left when the change is refused, or cannot be published', async () => {
    const table = await feedTable(folder, engine)
    await table.append(shopRows(0, 4))
    await expect(table.update({ set: { id: `'x'` }, where: 'id = 1' })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_MISMATCH',
    })
    await expect(table.update({ set: { id: 'name' }, where: 'id = 1' })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_MISMATCH',
    })
    const storage = new FaultyStorage(
      new LocalStorage(table.storage.location),
      faultAt('publish', 0, 'before'),
    )
    const faulty = await DeltaTable.open({ storage, engine })
    await expect(faulty.delete('id = 1')).rejects.toMatchObject({ code: 'DELTA_STORAGE_UNAVAILABLE' })
    expect(await table.storage.listData()).toHaveLength(1)
    expect((await table.snapshot()).version).toBe(1)
    const left = await engine.rows(`SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'delta_%'`)
    expect(left).toEqual([])
  })

  test('tell of rows that break a constraint which newer rows are held to', async () => {
    const table = await feedTable(folder, engine)
    await table.append(shopRows(0, 4))
    const path = join(table.storage.location, '_delta_log', `${'1'.padStart(20, '0')}.json`)
    const { metaData } = actionsOf(table, 0).find((action) => action.metaData) ?? {}
    const configuration = { ...metaData?.configuration, 'delta.constraints.cheap': 'price < 4' }
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8')}${JSON.stringify({ metaData: { ...metaData, configuration } })}\n`,
    )
    const opened = await DeltaTable.open(folder.options(engine))
    await expect(opened.update({ set: { price: '9' }, where: 'id = 3' })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    })
    expect(await table.storage.listData()).toHaveLength(1)
    await opened.update({ set: { price: '0' }, where: 'id = 3' })
    expect(await feedOf(opened, 2)).toEqual([
      { version: 2, type: 'update_postimage', ids: [3] },
      { version: 2, type: 'update_preimage', ids: [3] },
    ])
  })

  test('go with a vacuum when they are older than the retention, committed or not', async () => {
    let nowMs = Date.now()
    const table = await DeltaTable.create(
      { ...folder.options(engine), now: () => nowMs },
      { schema: SHOP, properties: FEED },
    )
    await table.append(shopRows(0, 4))
    await table.delete('id = 1')
    const orphan = '_change_data/cdc-orphan.parquet'
    writeFileSync(table.storage.localPath(orphan), 'of a writer that was killed')
    expect(await table.vacuum()).toEqual([])
    nowMs += 8 * 86_400_000
    const gone = await table.vacuum()
    expect(gone).toContain(orphan)
    expect(gone).toEqual(expect.arrayContaining(changeFilesOf(table, 2).map(({ path }) => path)))
    expect(gone).toHaveLength(3)
    expect(await idsOf(table)).toEqual([0, 2, 3])
  })

  test('are written where the protocol asks for them: by its version, or by the feature', async () => {
    const table = await DeltaTable.create(folder.options(engine), { schema: SHOP })
    await table.append(shopRows(0, 4))
    await table.update({ set: { price: '0' }, where: 'id = 0' })
    expect(changeFilesOf(table, 2)).toEqual([])
    await table.setProperties(FEED)
    expect((await table.snapshot()).protocol.minWriterVersion).toBe(4)
    await table.update({ set: { price: '1' }, where: 'id = 0' })
    expect(changeFilesOf(table, 4)).toHaveLength(1)
    await table.setProperties({ 'delta.enableInCommitTimestamps': 'true' })
    const { writerFeatures } = (await table.snapshot()).protocol
    expect(writerFeatures).toContain('changeDataFeed')
    await table.update({ set: { price: '2' }, where: 'id = 0' })
    expect(changeFilesOf(table, 6)).toHaveLength(1)
    await table.setProperties({ 'delta.enableChangeDataFeed': null })
    await table.update({ set: { price: '3' }, where: 'id = 0' })
    expect(changeFilesOf(table, 8)).toEqual([])
    await expect(table.changes({ from: 8, to: 8 })).rejects.toMatchObject({
      code: 'DELTA_FEATURE_UNSUPPORTED',
    })
  })
})

test('a table with a column named like one of the feed keeps none', async () => {
  const schema = { ...SHOP, fields: [...SHOP.fields, column('_Commit_Version', 'long')] }
  const code = 'DELTA_SCHEMA_INVALID'
  await expect(feedTable(folder, engine, { schema })).rejects.toMatchObject({ code })
  const table = await DeltaTable.create(folder.options(engine), { schema })
  await expect(table.setProperties(FEED)).rejects.toMatchObject({ code })
  const other = await DeltaTable.create(folder.options(engine, 'other'), { schema: SHOP, properties: FEED })
  await expect(other.addColumns([column('_change_type', 'string')])).rejects.toMatchObject({ code })
  await expect(
    other.append(`SELECT *, 'x' AS _change_type FROM (${shopRows(0, 1)})`, { mergeSchema: true }),
  ).rejects.toMatchObject({ code })
})
