import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { CHANGE_FOLDER, CHANGE_TYPE } from '../change-feed.ts'
import { columnMappingMode, physicalName } from '../column-mapping.ts'
import { constraintsOf } from '../constraints.ts'
import { DeltaError } from '../errors.ts'
import type { DataFile, WriteTarget } from '../parquet-engine.ts'
import { partitionColumnsOf } from '../partition-values.ts'
import type { StructField } from '../schema.ts'
import { fieldNamed, isAssignable } from '../type-assignment.ts'
import { type ColumnStatistics, statsOf } from './file-stats.ts'
import { fieldIds, renamed } from './mapped-columns.ts'
import { queryError } from './query-errors.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'

export type Compression = 'zstd' | 'snappy'

/** How data files are written. */
export interface FileOptions {
  /** Default `zstd`. */
  readonly compression?: Compression
  /**
   * A column with more distinct values in a row group gets no dictionary; by default a fifth of the row group's rows. A low
   * limit saves a fifth of writing columns that hardly repeat; what does repeat beyond it is read two to four times slower.
   */
  readonly dictionaryValuesMax?: number
  /**
   * Rows of a row group; DuckDB's own number by default. A column of a row group is written in one piece, and pieces of
   * some MB take pages of memory that a virtual machine may have to be lent first.
   */
  readonly rowGroupRows?: number
}

/** zstd at level 1: a third less CPU time than at DuckDB's 3 for a million events, and 2 % more bytes. */
const COMPRESSIONS: Readonly<Record<Compression, string>> = {
  zstd: 'COMPRESSION zstd, COMPRESSION_LEVEL 1',
  snappy: 'COMPRESSION snappy',
}
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'
/** Begins the message of an error that a constraint raises inside DuckDB. */
const VIOLATION = 'Delta constraint: '

interface CopyResult {
  readonly filename: string
  readonly count: string
  readonly file_size_bytes: string
  readonly column_statistics: readonly {
    readonly key: string
    readonly value: readonly { readonly key: string; readonly value: string }[]
  }[]
  readonly partition_keys: readonly { readonly key: string; readonly value: string | null }[] | null
}

/** Writes the rows of a SELECT as data files; see `ParquetEngine.write`. `found` are the columns the SELECT gives. */
export async function writeFiles(
  connection: DuckDBConnection,
  source: { readonly selectSql: string; readonly found: readonly StructField[] },
  { target, files: how }: { readonly target: WriteTarget; readonly files: FileOptions },
): Promise<DataFile[]> {
  const select = selectOf(source, target)
  const id = randomUUID()
  const partitions = partitionColumnsOf(target.table).map(({ key }) => sqlName(key))
  const folder = folderOf(target)
  const prefix = target.content === 'changes' ? 'cdc' : 'part'
  const to = partitions.length === 0 ? join(folder, `${prefix}-${id}.parquet`) : folder
  const options = ['FORMAT parquet', ...fileOptions(how), 'RETURN_STATS', ...idOptions(target)]
  if (partitions.length > 0) {
    options.push(
      `PARTITION_BY (${partitions.join(', ')})`,
      `FILENAME_PATTERN '${prefix}-${id}-{uuidv7}'`,
      'OVERWRITE_OR_IGNORE',
    )
  }
  await mkdir(folder, { recursive: true })
  const copy = `COPY (${select}) TO ${sqlText(to)} (${options.join(', ')})`
  try {
    const results = (await connection.runAndReadAll(copy)).getRowObjectsJson() as unknown as CopyResult[]
    const files = results.map((result) => dataFileOf(target, result))
    const empty = files.filter((file) => file.rowCount === 0)
    for (const file of empty) await rm(join(target.localRoot, file.path), { force: true })
    return files.filter((file) => file.rowCount > 0)
  } catch (error) {
    await removeWritten(folder, id)
    throw typed(error)
  }
}

function fileOptions({ compression = 'zstd', dictionaryValuesMax, rowGroupRows }: FileOptions): string[] {
  const limit = dictionaryValuesMax === undefined ? [] : [`DICTIONARY_SIZE_LIMIT ${dictionaryValuesMax}`]
  const rows = rowGroupRows === undefined ? [] : [`ROW_GROUP_SIZE ${rowGroupRows}`]
  return [COMPRESSIONS[compression], ...limit, ...rows]
}

function folderOf({ localRoot, content }: WriteTarget): string {
  return content === 'changes' ? join(localRoot, CHANGE_FOLDER) : localRoot
}

/** The columns of the SELECT. */
function fieldsOf({ table, content }: WriteTarget): readonly StructField[] {
  return content === 'changes' ? [...table.schema.fields, CHANGE_TYPE] : table.schema.fields
}

/** The SELECT, its columns checked, cast, renamed as data files name them, its rows held to the constraints. */
function selectOf(
  { selectSql, found }: { readonly selectSql: string; readonly found: readonly StructField[] },
  target: WriteTarget,
): string {
  const { table, content } = target
  const fields = fieldsOf(target)
  assertColumns(fields, found)
  const mode = columnMappingMode(table.metadata)
  const partitions = new Set(partitionColumnsOf(table).map(({ field }) => field))
  const typedColumns = fields.map((field) => `${castOf(field, found)} AS ${sqlName(field.name)}`)
  const written = fields
    .filter((field) => field.type !== 'void')
    .map((field) => {
      const name = sqlName(field.name)
      const value = partitions.has(field)
        ? partitionText(name, field)
        : renamed(name, field.type, { to: 'physical', mode })
      return `${value} AS ${sqlName(physicalName(field, mode))}`
    })
  const constraints = content === 'changes' ? [] : constraintsOf(table.schema, table.metadata, sqlName)
  const checks = constraints.map(
    ({ name, sql }) =>
      `CASE WHEN coalesce((${sql}), false) THEN true ELSE error(${sqlText(`${VIOLATION}${name}`)}) END`,
  )
  const where = checks.length === 0 ? '' : ` WHERE ${checks.join(' AND ')}`
  return `SELECT ${written.join(', ')} FROM (SELECT ${typedColumns.join(', ')} FROM (${selectSql}))${where}`
}

function assertColumns(declared: readonly StructField[], found: readonly StructField[]): void {
  const missing = declared.filter(({ name }) => fieldNamed(found, name) === undefined)
  const extra = found.filter(({ name }) => fieldNamed(declared, name) === undefined)
  if (missing.length === 0 && extra.length === 0) return
  const names = (fields: readonly StructField[]) => fields.map(({ name }) => name).join(', ') || 'none'
  throw new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `The rows do not have the table's columns; missing: ${names(missing)}; not in the table: ${names(extra)}`,
  )
}

/** DuckDB gives an untyped NULL the type INTEGER: such a column fits anything as long as it holds nothing else. */
function castOf(field: StructField, found: readonly StructField[]): string {
  const name = sqlName(field.name)
  const type = fieldNamed(found, field.name)?.type ?? 'void'
  if (isAssignable(type, field.type)) return `CAST(${name} AS ${sqlType(field.type)})`
  const message = `Column ${field.name} is ${describe(field)}; the rows have ${JSON.stringify(type)}, which does not fit without loss: cast it in the query`
  if (type !== 'integer') throw new DeltaError('DELTA_SCHEMA_MISMATCH', message)
  return `CASE WHEN ${name} IS NULL THEN CAST(NULL AS ${sqlType(field.type)}) ELSE error(${sqlText(`${MISMATCH}${message}`)}) END`
}

const MISMATCH = 'Delta type: '

function describe(field: StructField): string {
  return typeof field.type === 'string' ? field.type : JSON.stringify(field.type)
}

/** Protocol, "Partition Value Serialization". An empty text has no serialisation of its own: it is null. */
function partitionText(name: string, { type, name: column }: StructField): string {
  if (type === 'timestamp' || type === 'timestamp_ntz') return `strftime(${name}, '%Y-%m-%d %H:%M:%S.%f')`
  if (type === 'string') return `nullif(${name}, '')`
  if (typeof type === 'string' && type !== 'binary') return `CAST(${name} AS VARCHAR)`
  throw new DeltaError(
    'DELTA_SCHEMA_INVALID',
    `Column ${column} cannot be partitioned by: it is ${JSON.stringify(type)}`,
  )
}

function idOptions({ table }: WriteTarget): string[] {
  const mode = columnMappingMode(table.metadata)
  if (mode === 'none') return []
  const partitions = new Set(partitionColumnsOf(table).map(({ field }) => field))
  const data = table.schema.fields.filter((field) => !partitions.has(field) && field.type !== 'void')
  return [`FIELD_IDS ${fieldIds(data, mode)}`]
}

function dataFileOf({ table, localRoot }: WriteTarget, result: CopyResult): DataFile {
  const columns = new Map(
    result.column_statistics.map(({ key, value }) => [
      key,
      Object.fromEntries(value.map((entry) => [entry.key, entry.value])) as ColumnStatistics,
    ]),
  )
  const rowCount = Number(result.count)
  return {
    path: relative(localRoot, result.filename).split(sep).join('/'),
    sizeBytes: Number(result.file_size_bytes),
    rowCount,
    partitionValues: Object.fromEntries(
      (result.partition_keys ?? []).map(({ key, value }) => [key, value === NULL_PARTITION ? null : value]),
    ),
    stats: statsOf(table.schema, rowCount, { columns, mode: columnMappingMode(table.metadata) }),
  }
}

/** Files of a COPY that failed half-way: nobody else knows their names. */
async function removeWritten(localRoot: string, id: string): Promise<void> {
  const names = await readdir(localRoot, { recursive: true }).catch(() => [])
  for (const name of names.filter((one) => one.includes(id))) await rm(join(localRoot, name), { force: true })
}

function typed(error: unknown): unknown {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  const violation = message.indexOf(VIOLATION)
  if (violation >= 0) {
    const name = message.slice(violation + VIOLATION.length)
    return new DeltaError('DELTA_CONSTRAINT_VIOLATED', `Rows break ${name}; nothing was written`, error)
  }
  const mismatch = message.indexOf(MISMATCH)
  if (mismatch >= 0)
    return new DeltaError('DELTA_SCHEMA_MISMATCH', message.slice(mismatch + MISMATCH.length), error)
  if (/^Conversion Error|^Invalid Input Error: (Failed to cast|Could not convert)/.test(message))
    return new DeltaError('DELTA_SCHEMA_MISMATCH', `A value does not fit its column: ${message}`, error)
  return queryError(error)
}
