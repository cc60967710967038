import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { type CreateOptions, column, type DataType, DeltaTable, type StructField } from '../src/index.ts'
import type { TestFolder } from './test-table.ts'

/** A column whose physical name is `p` and its id. */
export function mappedField(name: string, id: number, type: DataType): StructField {
  return {
    ...column(name, type),
    metadata: { 'delta.columnMapping.id': id, 'delta.columnMapping.physicalName': `p${id}` },
  }
}

/** A table with column mapping. That is for other engines to turn on: this library makes no such table. */
export async function mappedTable(
  folder: TestFolder,
  engine: DuckDbParquetEngine,
  { mode, ...table }: CreateOptions & { readonly mode: string },
): Promise<DeltaTable> {
  const { storage } = await DeltaTable.create(folder.options(engine), table)
  const path = join(storage.location, '_delta_log', `${'0'.padStart(20, '0')}.json`)
  const mapping = `"delta.columnMapping.mode":"${mode}","delta.columnMapping.maxColumnId":"100"`
  const isMore = Object.keys(table.properties ?? {}).length > 0
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .replace(/"minReaderVersion":1,"minWriterVersion":\d/, '"minReaderVersion":2,"minWriterVersion":5')
      .replace('"configuration":{', `"configuration":{${mapping}${isMore ? ',' : ''}`),
  )
  return DeltaTable.open(folder.options(engine))
}

/** Writes a version with other columns, as an engine that renames and drops them does. */
export async function changeSchema(table: DeltaTable, fields: readonly StructField[]): Promise<void> {
  const { metadata, version } = await table.snapshot()
  const schemaString = JSON.stringify({ type: 'struct', fields })
  const outcome = await table.commit({
    add: [],
    metadata: { ...metadata, schemaString },
    readVersion: version,
    operation: 'CHANGE COLUMN',
  })
  expect(outcome.kind).toBe('committed')
}
