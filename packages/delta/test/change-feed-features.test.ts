import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import type { DataType } from '../src/index.ts'
import { changeFilesOf, FEED, feedOf, feedTable } from './feed-table.ts'
import { mappedField, mappedTable } from './mapped-table.ts'
import { encodeRoaring64 } from './roaring64-encode.ts'
import { idsOf, shopRows, TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

test.each(['name', 'id'])(
  'columns mapped by %s are in change data files under their physical names',
  async (mode) => {
    const inner: DataType = { type: 'struct', fields: [mappedField('x', 4, 'long')] }
    const fields = [
      mappedField('id', 1, 'long'),
      mappedField('part', 2, 'string'),
      mappedField('s', 3, inner),
    ]
    const opened = await mappedTable(folder, engine, {
      mode,
      schema: { type: 'struct', fields },
      partitionColumns: ['part'],
      properties: FEED,
    })
    await opened.append(`SELECT i AS id, 'a b' AS part, {x: i} AS s FROM range(3) t(i)`)
    await opened.update({ set: { s: '{x: -1}' }, where: 'id = 1' })
    const [file] = changeFilesOf(opened, 2)
    expect(file?.partitionValues).toEqual({ p2: 'a b' })
    const names = await engine.rows(
      `SELECT name, field_id FROM parquet_schema(${sqlText(opened.storage.localPath(decodeURIComponent(file?.path ?? '')))})`,
    )
    const ids = names
      .slice(1)
      .map(({ name, field_id }) => [name, field_id === null ? null : Number(field_id)])
    expect(ids).toEqual([
      ['p1', 1],
      ['p3', 3],
      ['p4', 4],
      ['_change_type', null],
    ])
    const feed = await opened.changes({ from: 2, to: 2 })
    expect(await engine.rows(`SELECT id, part, s, _change_type AS type FROM ${feed} ORDER BY type`)).toEqual([
      { id: '1', part: 'a b', s: { x: '-1' }, type: 'update_postimage' },
      { id: '1', part: 'a b', s: { x: '1' }, type: 'update_preimage' },
    ])
  },
)

test('a deletion vector that changed without change data files tells the rows that went, and those that came back', async () => {
  const table = await feedTable(folder, engine)
  await table.append(shopRows(0, 10))
  const [file] = (await table.snapshot()).files.values()
  const bare = { path: file?.path ?? '', partitionValues: {}, size: file?.size ?? 0, dataChange: true }
  const add = { ...bare, modificationTime: 0 }
  const vectors = [null, [1, 2], [2, 3, 4]].map((rows) =>
    rows === null ? {} : { deletionVector: inlineVector(rows) },
  )
  for (const version of [2, 3]) {
    const actions = [
      { remove: { ...bare, ...vectors[version - 2] } },
      { add: { ...add, ...vectors[version - 1] } },
    ]
    const path = join(table.storage.location, '_delta_log', `${String(version).padStart(20, '0')}.json`)
    writeFileSync(path, actions.map((action) => JSON.stringify(action)).join('\n'))
  }
  expect(await idsOf(table)).toEqual([0, 1, 5, 6, 7, 8, 9])
  await table.restore({ version: 1 })
  expect(await feedOf(table, 2, 4)).toEqual([
    { version: 2, type: 'delete', ids: [1, 2] },
    { version: 3, type: 'delete', ids: [3, 4] },
    { version: 3, type: 'insert', ids: [1] },
    { version: 4, type: 'insert', ids: [2, 3, 4] },
  ])
})

function inlineVector(rows: readonly number[]) {
  const bytes = encodeRoaring64(rows, 'array')
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4)
  padded.set(bytes)
  return {
    storageType: 'i',
    pathOrInlineDv: encodeBase85(padded),
    sizeInBytes: bytes.length,
    cardinality: rows.length,
  }
}

/** ZeroMQ's Z85, four bytes as five characters. */
function encodeBase85(bytes: Buffer): string {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const value = bytes.readUInt32BE(at)
    for (const place of [4, 3, 2, 1, 0]) text += alphabet[Math.floor(value / 85 ** place) % 85]
  }
  return text
}
