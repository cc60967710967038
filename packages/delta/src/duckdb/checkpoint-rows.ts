import { rm, stat, writeFile } from 'node:fs/promises'
import { type DuckDBConnection, DuckDBStructType } from '@duckdb/node-api'
import {
  type Action,
  type AddFile,
  checkedAction,
  type PartitionValues,
  type RemoveFile,
} from '../actions.ts'
import { DeltaError } from '../errors.ts'
import { checkpointColumns } from './checkpoint-columns.ts'
import { sqlName, sqlText } from './sql-types.ts'

/** A separator that valid JSON and encoded paths never hold (ASCII unit separator). */
const UNIT = '\x1f'

/** The actions of a checkpoint or a sidecar. */
export async function readActions(connection: DuckDBConnection, localPath: string): Promise<Action[]> {
  const from = `read_parquet(${sqlText(localPath)}, hive_partitioning = false)`
  try {
    const columns = await columnsOf(connection, from)
    const actions = await otherActions(connection, from, [...columns.keys()])
    const partitionValues = partitionValuesReader()
    for (const fields of await filesOf(connection, from, { column: 'add', columns }))
      actions.push({ add: addOf(fields, partitionValues) })
    for (const fields of await filesOf(connection, from, { column: 'remove', columns }))
      actions.push({ remove: removeOf(fields, partitionValues) })
    return actions
  } catch (error) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${localPath} cannot be read as a checkpoint: ${error}`, error)
  }
}

/** Writes a checkpoint (Protocol, "Checkpoint Schema") by way of JSON; returns its size in bytes. */
export async function writeActions(
  connection: DuckDBConnection,
  localPath: string,
  actions: readonly Action[],
): Promise<number> {
  const json = `${localPath}.json`
  try {
    await writeFile(json, actions.map((action) => JSON.stringify(action)).join('\n'))
    const columns = checkpointColumns(actions)
    const names = Object.keys(columns).map(sqlName).join(', ')
    const types = Object.entries(columns).map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`)
    await connection.run(
      `COPY (SELECT ${names} FROM read_json(${sqlText(json)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = 268435456)) TO ${sqlText(localPath)} (FORMAT parquet, COMPRESSION snappy)`,
    )
  } finally {
    await rm(json, { force: true })
  }
  return (await stat(localPath)).size
}

type Columns = ReadonlyMap<string, ReadonlySet<string>>

/** The action columns, and the fields each has: checkpoints differ in both. */
async function columnsOf(connection: DuckDBConnection, from: string): Promise<Columns> {
  const statement = await connection.prepare(`SELECT * FROM ${from}`)
  try {
    return new Map(
      Array.from({ length: statement.columnCount }, (_, i) => {
        const type = statement.columnType(i)
        return [statement.columnName(i), new Set(type instanceof DuckDBStructType ? type.entryNames : [])]
      }),
    )
  } finally {
    statement.destroySync()
  }
}

const OTHERS = ['txn', 'metaData', 'protocol', 'domainMetadata', 'checkpointMetadata', 'sidecar']

async function otherActions(
  connection: DuckDBConnection,
  from: string,
  columns: readonly string[],
): Promise<Action[]> {
  const present = OTHERS.filter((name) => columns.includes(name)).map(sqlName)
  if (present.length === 0) return []
  const some = present.map((name) => `${name} IS NOT NULL`).join(' OR ')
  const reader = await connection.runAndReadAll(
    `SELECT to_json({${present.map((name) => `${name}: ${name}`).join(', ')}})::VARCHAR AS action FROM ${from} WHERE ${some}`,
  )
  return reader.getColumns()[0]?.map((value) => withoutNulls(checkedAction(JSON.parse(String(value))))) ?? []
}

/** Structs that are null come back as null or as objects of nulls; replay wants them absent. */
function withoutNulls(action: Action): Action {
  const entries = Object.entries(action).filter(
    ([, value]) => value !== null && Object.values(value as object).some((field) => field !== null),
  )
  return Object.fromEntries(entries) as Action
}

/** The field of a file as text: JSON where it is not simple, empty where null or absent. */
type Fields = (name: string) => string

/** What makes texts of the fields. */
const FILE_FIELDS: Readonly<Record<string, (field: string) => string>> = {
  path: asText,
  partitionValues: asJson,
  size: asText,
  modificationTime: asText,
  deletionTimestamp: asText,
  dataChange: asText,
  extendedFileMetadata: asText,
  stats: asText,
  tags: asJson,
  deletionVector: (field) => `CASE WHEN ${field}.storageType IS NOT NULL THEN ${asJson(field)} END`,
  baseRowId: asText,
  defaultRowCommitVersion: asText,
  clusteringProvider: asText,
}

function asText(field: string): string {
  return field
}

function asJson(field: string): string {
  return `to_json(${field})::VARCHAR`
}

/** All files' fields come as one text, one after the other: values, or a text for each file, take twice as long. */
async function filesOf(
  connection: DuckDBConnection,
  from: string,
  { column, columns }: { readonly column: 'add' | 'remove'; readonly columns: Columns },
): Promise<Fields[]> {
  const found = columns.get(column) ?? new Set<string>()
  const names = Object.keys(FILE_FIELDS).filter(
    (name) => found.has(name) || (name === 'stats' && found.has('stats_parsed')),
  )
  if (names.length === 0) return []
  const texts = names.map((name) =>
    name === 'stats' ? statsText(column, found) : FILE_FIELDS[name]?.(`${column}.${sqlName(name)}`),
  )
  const reader = await connection.runAndReadAll(
    `SELECT count(*), string_agg(concat(${texts.join(', chr(31), ')}), chr(31)) FROM ${from} WHERE ${column}.path IS NOT NULL`,
  )
  const [count, all] = reader.getRows()[0] ?? []
  if (typeof all !== 'string') return []
  const values = all.split(UNIT)
  if (values.length !== Number(count) * names.length)
    throw new TypeError(`${values.length} fields of ${count} files, ${names.length} for each`)
  const places = new Map(names.map((name, i) => [name, i]))
  return Array.from({ length: Number(count) }, (_, row) => (name) => {
    const place = places.get(name)
    return place === undefined ? '' : (values[row * names.length + place] ?? '')
  })
}

/** Statistics as JSON, or made JSON where a checkpoint has them typed only (`delta.checkpoint.writeStatsAsJson`). */
function statsText(column: string, found: ReadonlySet<string>): string {
  const texts = [
    ...(found.has('stats') ? [`${column}.stats`] : []),
    ...(found.has('stats_parsed') ? [asJson(`${column}.stats_parsed`)] : []),
  ]
  return `coalesce(${texts.join(', ')})`
}

/** A value that is being filled; the same fields in the same order each time, which V8 stores best. */
type Filling<T> = { -readonly [K in keyof T]: T[K] }

function addOf(text: Fields, partitionValues: PartitionValuesReader): AddFile {
  const add: Filling<AddFile> = {
    path: text('path'),
    partitionValues: partitionValues(text('partitionValues')),
    size: Number(text('size')),
    modificationTime: Number(text('modificationTime')),
    dataChange: text('dataChange') === 'true',
  }
  const stats = text('stats')
  if (stats) add.stats = stats
  fillRest(add, text)
  const clusteringProvider = text('clusteringProvider')
  if (clusteringProvider) add.clusteringProvider = clusteringProvider
  return add
}

function removeOf(text: Fields, partitionValues: PartitionValuesReader): RemoveFile {
  const remove: Filling<RemoveFile> = { path: text('path'), dataChange: text('dataChange') === 'true' }
  const deletionTimestamp = text('deletionTimestamp')
  if (deletionTimestamp) remove.deletionTimestamp = Number(deletionTimestamp)
  const extendedFileMetadata = text('extendedFileMetadata')
  if (extendedFileMetadata) remove.extendedFileMetadata = extendedFileMetadata === 'true'
  const values = text('partitionValues')
  if (values) remove.partitionValues = partitionValues(values)
  const size = text('size')
  if (size) remove.size = Number(size)
  fillRest(remove, text)
  return remove
}

/** Fields that both have, and most tables have not. */
function fillRest(file: Filling<AddFile> | Filling<RemoveFile>, text: Fields): void {
  const tags = text('tags')
  if (tags) file.tags = JSON.parse(tags)
  const deletionVector = text('deletionVector')
  if (deletionVector) file.deletionVector = JSON.parse(deletionVector)
  const baseRowId = text('baseRowId')
  if (baseRowId) file.baseRowId = Number(baseRowId)
  const defaultRowCommitVersion = text('defaultRowCommitVersion')
  if (defaultRowCommitVersion) file.defaultRowCommitVersion = Number(defaultRowCommitVersion)
}

type PartitionValuesReader = (json: string) => PartitionValues

/** Files of a partition share one object. */
function partitionValuesReader(): PartitionValuesReader {
  const known = new Map<string, PartitionValues>([['', {}]])
  return (json) => {
    const values = known.get(json) ?? (JSON.parse(json) as PartitionValues)
    known.set(json, values)
    return values
  }
}
