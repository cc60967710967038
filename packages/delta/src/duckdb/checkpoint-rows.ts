import { rm, stat, writeFile } from 'node:fs/promises'
import { DuckDBBlobValue, type DuckDBConnection, DuckDBStructType } from '@duckdb/node-api'
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
    const adds = await fileFields(connection, from, { column: 'add', columns })
    for (let i = 0; i < adds.fileCount; i++) actions.push({ add: addOf(adds, partitionValues) })
    adds.assertAtEnd()
    const removes = await fileFields(connection, from, { column: 'remove', columns })
    for (let i = 0; i < removes.fileCount; i++) actions.push({ remove: removeOf(removes, partitionValues) })
    removes.assertAtEnd()
    return actions
  } catch (error) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${localPath} cannot be read as a checkpoint: ${error}`, error)
  }
}

const LINE_BYTES_MIN = 1024 * 1024

/** Writes a checkpoint (Protocol, "Checkpoint Schema") by way of JSON; returns its size in bytes. */
export async function writeActions(
  connection: DuckDBConnection,
  localPath: string,
  actions: readonly Action[],
): Promise<number> {
  const json = `${localPath}.json`
  try {
    const lines = actions.map((action) => JSON.stringify(action))
    await writeFile(json, lines.join('\n'))
    // DuckDB takes twice this at once, however little there is to read. A character has up to three bytes.
    const longest = 3 * lines.reduce((most, line) => Math.max(most, line.length), 0)
    const columns = checkpointColumns(actions)
    const names = Object.keys(columns).map(sqlName).join(', ')
    const types = Object.entries(columns).map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`)
    await connection.run(
      `COPY (SELECT ${names} FROM read_json(${sqlText(json)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = ${Math.max(LINE_BYTES_MIN, longest)})) TO ${sqlText(localPath)} (FORMAT parquet, COMPRESSION snappy)`,
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

type FileColumn = 'add' | 'remove'

/** What every file has, in the order in which `addOf` and `removeOf` take it. */
const FILE_FIELDS: Readonly<Record<FileColumn, readonly string[]>> = {
  add: ['path', 'partitionValues', 'size', 'modificationTime', 'dataChange', 'stats'],
  remove: ['path', 'dataChange', 'deletionTimestamp', 'extendedFileMetadata', 'partitionValues', 'size'],
}

/** What both kinds may have, and most tables have in no file: one JSON object, or nothing. */
const RARE_FIELDS = [
  'tags',
  'deletionVector',
  'baseRowId',
  'defaultRowCommitVersion',
  'clusteringProvider',
] as const

/**
 * The fields of all files, one after the other: JSON where they are not simple, empty where null or absent. Each is cut
 * off when it is needed, so that there is no list of them all.
 */
class FileFields {
  readonly fileCount: number
  readonly #text: string
  #at = 0

  constructor(text: string, fileCount: number) {
    this.#text = text
    this.fileCount = fileCount
  }

  next(): string {
    const found = this.#text.indexOf(UNIT, this.#at)
    const end = found < 0 ? this.#text.length : found
    if (this.#at > end) throw new TypeError('a file has fewer fields than it should')
    const field = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return field
  }

  assertAtEnd(): void {
    if (this.fileCount > 0 && this.#at <= this.#text.length)
      throw new TypeError('a file has more fields than it should')
  }
}

/**
 * All files' fields come as one text, one after the other: values, or a text for each file, take longer, and texts of
 * each field could come in different orders.
 */
async function fileFields(
  connection: DuckDBConnection,
  from: string,
  { column, columns }: { readonly column: FileColumn; readonly columns: Columns },
): Promise<FileFields> {
  const found = columns.get(column)
  if (!found?.has('path')) return new FileFields('', 0)
  const texts = [
    ...FILE_FIELDS[column].map((name) => fieldText(column, name, found)),
    rareText(column, found),
  ]
  const reader = await connection.runAndReadAll(
    `SELECT count(*), encode(string_agg(concat(${texts.join(', chr(31), ')}), chr(31))) FROM ${from} WHERE ${column}.path IS NOT NULL`,
  )
  const [fileCount, all] = reader.getRows()[0] ?? []
  // Bytes, as Node's own decoder takes a quarter of the time of the one that DuckDB's texts go through.
  const text =
    all instanceof DuckDBBlobValue
      ? Buffer.from(all.bytes.buffer, all.bytes.byteOffset, all.bytes.length)
      : ''
  return new FileFields(text.toString(), Number(fileCount))
}

function fieldText(column: FileColumn, name: string, found: ReadonlySet<string>): string {
  if (name === 'stats') return statsText(column, found)
  if (!found.has(name)) return "''"
  return name === 'partitionValues' ? asJson(`${column}.${name}`) : `${column}.${sqlName(name)}`
}

/** Statistics as JSON, or made JSON where a checkpoint has them typed only (`delta.checkpoint.writeStatsAsJson`). */
function statsText(column: FileColumn, found: ReadonlySet<string>): string {
  const texts = [
    ...(found.has('stats') ? [`${column}.stats`] : []),
    ...(found.has('stats_parsed') ? [asJson(`${column}.stats_parsed`)] : []),
  ]
  return texts.length === 0 ? "''" : `coalesce(${texts.join(', ')})`
}

function rareText(column: FileColumn, found: ReadonlySet<string>): string {
  const names = RARE_FIELDS.filter((name) => found.has(name))
  if (names.length === 0) return "''"
  // A struct that is null may come back as one of nulls.
  const isThere = (name: string) =>
    `${column}.${name === 'deletionVector' ? 'deletionVector.storageType' : name} IS NOT NULL`
  const fields = names.map((name) => `${name}: CASE WHEN ${isThere(name)} THEN ${column}.${name} END`)
  return `CASE WHEN ${names.map(isThere).join(' OR ')} THEN ${asJson(`{${fields.join(', ')}}`)} END`
}

function asJson(expression: string): string {
  return `to_json(${expression})::VARCHAR`
}

/** A value that is being filled; the same fields in the same order each time, which V8 stores best. */
type Filling<T> = { -readonly [K in keyof T]: T[K] }

function addOf(fields: FileFields, partitionValues: PartitionValuesReader): AddFile {
  const add: Filling<AddFile> = {
    path: fields.next(),
    partitionValues: partitionValues(fields.next()),
    size: Number(fields.next()),
    modificationTime: Number(fields.next()),
    dataChange: fields.next() === 'true',
  }
  const stats = fields.next()
  if (stats) add.stats = stats
  const rare = fields.next()
  return rare ? { ...add, ...rareFields(rare) } : add
}

function removeOf(fields: FileFields, partitionValues: PartitionValuesReader): RemoveFile {
  const remove: Filling<RemoveFile> = { path: fields.next(), dataChange: fields.next() === 'true' }
  const deletionTimestamp = fields.next()
  if (deletionTimestamp) remove.deletionTimestamp = Number(deletionTimestamp)
  const extendedFileMetadata = fields.next()
  if (extendedFileMetadata) remove.extendedFileMetadata = extendedFileMetadata === 'true'
  const values = fields.next()
  if (values) remove.partitionValues = partitionValues(values)
  const size = fields.next()
  if (size) remove.size = Number(size)
  const rare = fields.next()
  return rare ? { ...remove, ...rareFields(rare) } : remove
}

type RareFields = Pick<AddFile, (typeof RARE_FIELDS)[number]>

function rareFields(json: string): RareFields {
  const fields = Object.entries(JSON.parse(json) as RareFields)
  return Object.fromEntries(fields.filter(([, value]) => value !== null))
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
