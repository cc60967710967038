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

/** Separators that valid JSON and encoded paths never hold (ASCII record and unit separators). */
const RECORD = '\x1e'
const UNIT = '\x1f'

/** The actions of a checkpoint or a sidecar. Files come as one text for all, which is several times faster than as values. */
export async function readActions(connection: DuckDBConnection, localPath: string): Promise<Action[]> {
  const from = `read_parquet(${sqlText(localPath)}, hive_partitioning = false)`
  try {
    const columns = await columnsOf(connection, from)
    const actions = await otherActions(connection, from, [...columns.keys()])
    for (const fields of await filesOf(connection, from, { column: 'add', columns }))
      actions.push({ add: addOf(fields) })
    for (const fields of await filesOf(connection, from, { column: 'remove', columns }))
      actions.push({ remove: removeOf(fields) })
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
  await writeFile(json, actions.map((action) => JSON.stringify(action)).join('\n'))
  try {
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

type Fields = Readonly<Record<string, string>>

/** Fields of files, as texts; JSON where they are not simple. Order of the fields asked for, empty where null. */
const FILE_FIELDS: readonly (readonly [name: string, sql: (field: string) => string])[] = [
  ['path', (field) => field],
  ['partitionValues', (field) => `to_json(${field})::VARCHAR`],
  ['size', (field) => `${field}::VARCHAR`],
  ['modificationTime', (field) => `${field}::VARCHAR`],
  ['deletionTimestamp', (field) => `${field}::VARCHAR`],
  ['dataChange', (field) => `${field}::VARCHAR`],
  ['extendedFileMetadata', (field) => `${field}::VARCHAR`],
  ['stats', (field) => field],
  ['tags', (field) => `to_json(${field})::VARCHAR`],
  [
    'deletionVector',
    (field) => `CASE WHEN ${field}.storageType IS NOT NULL THEN to_json(${field})::VARCHAR END`,
  ],
  ['baseRowId', (field) => `${field}::VARCHAR`],
  ['defaultRowCommitVersion', (field) => `${field}::VARCHAR`],
  ['clusteringProvider', (field) => field],
]

async function filesOf(
  connection: DuckDBConnection,
  from: string,
  { column, columns }: { readonly column: 'add' | 'remove'; readonly columns: Columns },
): Promise<Fields[]> {
  const found = columns.get(column) ?? new Set<string>()
  const fields = FILE_FIELDS.filter(
    ([name]) => found.has(name) || (name === 'stats' && found.has('stats_parsed')),
  )
  if (fields.length === 0) return []
  const texts = fields.map(([name, sql]) =>
    name === 'stats' ? statsText(column, found) : `coalesce(${sql(`${column}.${sqlName(name)}`)}, '')`,
  )
  const reader = await connection.runAndReadAll(
    `SELECT string_agg(${texts.join(` || chr(31) || `)}, chr(30)) FROM ${from} WHERE ${column}.path IS NOT NULL`,
  )
  const all = reader.getColumns()[0]?.[0]
  if (typeof all !== 'string') return []
  return all.split(RECORD).map((record) => {
    const values = record.split(UNIT)
    if (values.length !== fields.length) throw new TypeError(`a file with ${values.length} fields`)
    return Object.fromEntries(fields.map(([name], i) => [name, values[i] ?? '']))
  })
}

/** Statistics as JSON, or made JSON where a checkpoint has them typed only (`delta.checkpoint.writeStatsAsJson`). */
function statsText(column: string, found: ReadonlySet<string>): string {
  const texts = [
    ...(found.has('stats') ? [`${column}.stats`] : []),
    ...(found.has('stats_parsed') ? [`to_json(${column}.stats_parsed)::VARCHAR`] : []),
  ]
  return `coalesce(${texts.join(', ')}, '')`
}

function addOf(fields: Fields): AddFile {
  const { stats, tags, clusteringProvider } = fields
  return {
    path: fields.path ?? '',
    partitionValues: partitionValuesOf(fields.partitionValues),
    size: Number(fields.size),
    modificationTime: Number(fields.modificationTime),
    dataChange: fields.dataChange === 'true',
    ...(stats ? { stats } : {}),
    ...(tags ? { tags: JSON.parse(tags) } : {}),
    ...vectorOf(fields),
    ...rowIdsOf(fields),
    ...(clusteringProvider ? { clusteringProvider } : {}),
  }
}

function removeOf(fields: Fields): RemoveFile {
  const { deletionTimestamp, extendedFileMetadata, partitionValues, size, tags } = fields
  return {
    path: fields.path ?? '',
    dataChange: fields.dataChange === 'true',
    ...(deletionTimestamp ? { deletionTimestamp: Number(deletionTimestamp) } : {}),
    ...(extendedFileMetadata ? { extendedFileMetadata: extendedFileMetadata === 'true' } : {}),
    ...(partitionValues ? { partitionValues: partitionValuesOf(partitionValues) } : {}),
    ...(size ? { size: Number(size) } : {}),
    ...(tags ? { tags: JSON.parse(tags) } : {}),
    ...vectorOf(fields),
    ...rowIdsOf(fields),
  }
}

function vectorOf({ deletionVector }: Fields): Pick<AddFile, 'deletionVector'> {
  return deletionVector ? { deletionVector: JSON.parse(deletionVector) } : {}
}

function rowIdsOf({ baseRowId, defaultRowCommitVersion }: Fields) {
  return {
    ...(baseRowId ? { baseRowId: Number(baseRowId) } : {}),
    ...(defaultRowCommitVersion ? { defaultRowCommitVersion: Number(defaultRowCommitVersion) } : {}),
  }
}

function partitionValuesOf(json: string | undefined): PartitionValues {
  return json === undefined || json === '' || json === '{}' ? NO_VALUES : JSON.parse(json)
}

const NO_VALUES: PartitionValues = {}
