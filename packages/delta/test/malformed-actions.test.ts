import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { column, DeltaTable } from '../src/index.ts'
import { commitPath } from '../src/log-names.ts'
import { TestFolder } from './test-table.ts'

let engine: DuckDbParquetEngine
beforeAll(async () => {
  engine = await DuckDbParquetEngine.open()
})

type Json = Record<string, unknown>
type Actions = Readonly<Record<'protocol' | 'metaData' | 'add', Json>>

/** A table of one row and a partition column, whose one commit is as `change` leaves it. */
async function tableWith(folder: TestFolder, change: (actions: Actions) => void) {
  const table = await DeltaTable.create(folder.options(engine), {
    schema: { type: 'struct', fields: [column('n', 'integer'), column('p', 'string')] },
    partitionColumns: ['p'],
  })
  await table.append(`SELECT 1::INTEGER AS n, 'x' AS p`)
  const { protocol, metadata, files } = await table.snapshot()
  const [add] = files.values()
  const actions = structuredClone({ protocol, metaData: metadata, add }) as unknown as Actions
  change(actions)
  const lines = Object.entries(actions).map(([name, action]) => JSON.stringify({ [name]: action }))
  const { location } = table.storage
  writeFileSync(join(location, commitPath(1)), '')
  writeFileSync(join(location, commitPath(0)), lines.join('\n'))
  return folder.options(engine)
}

const vector = { storageType: 'i', pathOrInlineDv: 'x', sizeInBytes: 1, cardinality: 1 }

describe('an action that is not as the protocol has it', () => {
  test.each<[string, (actions: Actions) => void]>([
    ['a path that is no text', ({ add }) => Object.assign(add, { path: 1 })],
    ['partition values that are no object', ({ add }) => Object.assign(add, { partitionValues: [1] })],
    [
      'a partition value of more than one',
      ({ add }) => Object.assign(add, { partitionValues: { p: ['x'] } }),
    ],
    ['a partition value with a fraction', ({ add }) => Object.assign(add, { partitionValues: { p: 1.5 } })],
    ['a size that is no number', ({ add }) => Object.assign(add, { size: '1' })],
    ['a vector that is no object', ({ add }) => Object.assign(add, { deletionVector: 'x' })],
    [
      'a vector in no text',
      ({ add }) => Object.assign(add, { deletionVector: { ...vector, pathOrInlineDv: 1 } }),
    ],
    [
      'a vector without size',
      ({ add }) => Object.assign(add, { deletionVector: { ...vector, sizeInBytes: null } }),
    ],
    ['features that are no list', ({ protocol }) => Object.assign(protocol, { readerFeatures: 'x' })],
    ['a feature that is no text', ({ protocol }) => Object.assign(protocol, { writerFeatures: [null] })],
    [
      'partition columns that are no list',
      ({ metaData }) => Object.assign(metaData, { partitionColumns: 'p' }),
    ],
    [
      'a partition column that is no text',
      ({ metaData }) => Object.assign(metaData, { partitionColumns: [null] }),
    ],
    ['properties that are no object', ({ metaData }) => Object.assign(metaData, { configuration: 'x' })],
  ])('%s is refused', async (_, change) => {
    using folder = new TestFolder()
    await expect(DeltaTable.open(await tableWith(folder, change))).rejects.toMatchObject({
      code: 'DELTA_LOG_CORRUPT',
    })
  })

  test('metadata of a column that is no object is refused', async () => {
    using folder = new TestFolder()
    const options = await tableWith(folder, ({ metaData }) => {
      metaData.schemaString = '{"type":"struct","fields":[{"name":"n","type":"integer","metadata":1}]}'
    })
    await expect(DeltaTable.open(options)).rejects.toMatchObject({ code: 'DELTA_SCHEMA_INVALID' })
  })

  test('a schema nested deeper than anyone can walk through is refused', async () => {
    using folder = new TestFolder()
    const deep = 10_000
    const type = `${'{"type":"array","elementType":'.repeat(deep)}"long"${'}'.repeat(deep)}`
    const options = await tableWith(folder, ({ metaData }) => {
      metaData.schemaString = `{"type":"struct","fields":[{"name":"n","type":${type}}]}`
    })
    await expect(DeltaTable.open(options)).rejects.toMatchObject({ code: 'DELTA_SCHEMA_INVALID' })
  })

  test.each([
    ['an integer', 7, '7'],
    ['a boolean', true, 'true'],
  ])('%s is taken for the text of a partition or a property', async (_, value, text) => {
    using folder = new TestFolder()
    const options = await tableWith(folder, ({ add, metaData }) => {
      add.partitionValues = { p: value }
      metaData.configuration = { own: value }
    })
    const table = await DeltaTable.open(options)
    expect(await table.rows()).toEqual([{ n: 1, p: text }])
    expect((await table.snapshot()).metadata.configuration).toEqual({ own: text })
  })

  test('a file that says nothing of its partition has none', async () => {
    using folder = new TestFolder()
    const options = await tableWith(folder, ({ add }) => delete add.partitionValues)
    expect(await (await DeltaTable.open(options)).rows()).toEqual([{ n: 1, p: null }])
  })
})
