import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AddFile, serializeCommit } from '../src/actions.ts'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { column, DeltaTable, type StructField } from '../src/index.ts'
import { commitPath } from '../src/log-names.ts'
import { encodeRoaring64 } from './roaring64-encode.ts'
import { TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

/** Writes logs and files as another engine does, one that deletes rows by vectors and maps columns. */
class OtherEngine {
  readonly options = folder.options(engine)
  #version = 0

  constructor() {
    mkdirSync(join(this.options.storage.root, '_delta_log'), { recursive: true })
  }

  commit(...actions: object[]): void {
    writeFileSync(join(this.options.storage.root, commitPath(this.#version)), serializeCommit(actions))
    this.#version += 1
  }

  create(fields: readonly StructField[], configuration: Readonly<Record<string, string>> = {}): void {
    const features = ['deletionVectors', 'columnMapping']
    this.commit(
      {
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: features,
          writerFeatures: features,
        },
      },
      {
        metaData: {
          id: 'other',
          format: { provider: 'parquet', options: {} },
          schemaString: JSON.stringify({ type: 'struct', fields }),
          partitionColumns: [],
          configuration: { 'delta.enableChangeDataFeed': 'true', ...configuration },
        },
      },
    )
  }

  async file(path: string, select: string, fieldIds = ''): Promise<AddFile> {
    await engine.rows(
      `COPY (${select}) TO ${sqlText(join(this.options.storage.root, path))} (FORMAT parquet${fieldIds})`,
    )
    return { path, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true }
  }

  withDeleted(file: AddFile, rows: readonly number[]): AddFile {
    const data = encodeRoaring64(rows, 'array')
    const name = `${randomUUID()}.bin`
    const content = Buffer.alloc(data.length + 9)
    content.writeUInt8(1, 0)
    content.writeInt32BE(data.length, 1)
    content.set(data, 5)
    content.writeUInt32BE(crc32(data), data.length + 5)
    const path = join(this.options.storage.root, name)
    writeFileSync(path, content)
    const vector = { storageType: 'p', pathOrInlineDv: `file://${path}`, offset: 1 }
    return { ...file, deletionVector: { ...vector, sizeInBytes: data.length, cardinality: rows.length } }
  }
}

const removed = ({ path, deletionVector }: AddFile) => ({
  remove: { path, dataChange: true, ...(deletionVector ? { deletionVector } : {}) },
})

async function feedOf(other: OtherEngine, from: number, to: number) {
  const table = await DeltaTable.open(other.options)
  return engine.rows(
    `SELECT _commit_version AS version, _change_type AS type, list(id ORDER BY id) AS ids FROM ${await table.changes({ from, to })} GROUP BY ALL ORDER BY ALL`,
  )
}

test('rows whose deletion changed are told, beside whole files of the same commit', async () => {
  const other = new OtherEngine()
  other.create([column('id', 'long')])
  const a = await other.file('a.parquet', 'SELECT i AS id FROM range(10) t(i)')
  const b = await other.file('b.parquet', 'SELECT i AS id FROM range(100, 103) t(i)')
  const c = await other.file('c.parquet', 'SELECT i AS id FROM range(200, 202) t(i)')
  const [first, second] = [other.withDeleted(a, [0, 3]), other.withDeleted(a, [3, 4, 9])]
  other.commit({ add: a }, { add: b })
  other.commit(removed(a), { add: first })
  other.commit(removed(first), { add: second }, removed(b), { add: c })
  other.commit(removed(second), { add: a })
  expect(await feedOf(other, 1, 4)).toEqual([
    {
      version: '1',
      type: 'insert',
      ids: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '100', '101', '102'],
    },
    { version: '2', type: 'delete', ids: ['0', '3'] },
    { version: '3', type: 'delete', ids: ['4', '9', '100', '101', '102'] },
    { version: '3', type: 'insert', ids: ['0', '200', '201'] },
    { version: '4', type: 'insert', ids: ['3', '4', '9'] },
  ])
})

test.each(['name', 'id'])('change data files of a table mapped by %s are read', async (mode) => {
  const other = new OtherEngine()
  const metadata = { 'delta.columnMapping.id': 1, 'delta.columnMapping.physicalName': 'col-1' }
  other.create([{ ...column('id', 'long'), metadata }], {
    'delta.columnMapping.mode': mode,
    'delta.columnMapping.maxColumnId': '1',
  })
  const ids = `, FIELD_IDS {'col-1': 1}`
  const add = await other.file('a.parquet', `SELECT 1::BIGINT AS "col-1"`, ids)
  const { path } = await other.file(
    'cdc.parquet',
    `SELECT 7::BIGINT AS "col-1", 'update_postimage' AS _change_type`,
    ids,
  )
  other.commit({ add }, { cdc: { path, partitionValues: {}, size: 1, dataChange: false } })
  expect(await feedOf(other, 1, 1)).toEqual([{ version: '1', type: 'update_postimage', ids: ['7'] }])
})
