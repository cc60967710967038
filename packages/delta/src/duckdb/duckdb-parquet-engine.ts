import { randomUUID } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type Action, checkedAction } from '../actions.ts'
import type { DataFile, DeltaTable } from '../delta-table.ts'
import { DeltaError } from '../errors.ts'
import type { ParquetEngine } from '../parquet-engine.ts'
import type { Snapshot } from '../snapshot.ts'
import { CHECKPOINT_COLUMNS, CHECKPOINT_JSON_COLUMNS } from './checkpoint-columns.ts'
import { type ColumnStatistics, statsOf } from './file-stats.ts'
import { relationOf } from './relation.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'

const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

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

/**
 * Parquet through DuckDB. The connection must be set to time zone UTC and must not be used by others while a call runs.
 */
export class DuckDbParquetEngine implements ParquetEngine {
  readonly #connection: DuckDBConnection

  constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  /**
   * Writes the rows of a SELECT as data files of the table, not yet committed. Columns are matched by name to the
   * schema and cast to their declared types; one missing, one too many or a value that does not fit throws
   * `DELTA_SCHEMA_MISMATCH`. No rows give no files.
   */
  async writeQuery(table: DeltaTable, selectSql: string): Promise<DataFile[]> {
    const snapshot = await table.snapshot()
    await this.#assertColumns(snapshot, selectSql)
    const casts = snapshot.schema.fields.map(
      ({ name, type }) => `CAST(${sqlName(name)} AS ${sqlType(type)}) AS ${sqlName(name)}`,
    )
    const root = table.storage.localPath('')
    const { partitionColumns } = snapshot
    const target =
      partitionColumns.length === 0
        ? { path: table.storage.localPath(`part-${randomUUID()}.parquet`), options: '' }
        : {
            path: root,
            options: `, PARTITION_BY (${partitionColumns.map(sqlName).join(', ')}), FILENAME_PATTERN 'part-{uuidv7}', OVERWRITE_OR_IGNORE`,
          }
    const copy = `COPY (SELECT ${casts.join(', ')} FROM (${selectSql})) TO ${sqlText(target.path)} (FORMAT parquet, COMPRESSION zstd, RETURN_STATS${target.options})`
    const results = (await this.#rows(copy).catch(mismatch)) as unknown as CopyResult[]
    const files = results.map((result) => dataFileOf(snapshot, root, result))
    const empty = files.filter((file) => file.rowCount === 0)
    for (const file of empty) await rm(table.storage.localPath(file.path), { force: true })
    return files.filter((file) => file.rowCount > 0)
  }

  /** See `relationOf`. */
  relation(table: DeltaTable, snapshot: Snapshot, options?: { readonly hasSchemaChanged?: boolean }): string {
    return relationOf(snapshot, (path) => table.storage.localPath(path), options)
  }

  async writeCheckpoint(localPath: string, actions: readonly Action[]): Promise<number> {
    const json = `${localPath}.json`
    await writeFile(json, actions.map((action) => JSON.stringify(action)).join('\n'))
    try {
      const columns = CHECKPOINT_COLUMNS.map(sqlName).join(', ')
      await this.#connection.run(
        `COPY (SELECT ${columns} FROM read_json(${sqlText(json)}, format = 'newline_delimited', columns = ${CHECKPOINT_JSON_COLUMNS}, maximum_object_size = 268435456)) TO ${sqlText(localPath)} (FORMAT parquet, COMPRESSION snappy)`,
      )
    } finally {
      await rm(json, { force: true })
    }
    return (await stat(localPath)).size
  }

  async readCheckpoint(localPath: string): Promise<Action[]> {
    const rows = await this.#rows(`SELECT to_json(c) AS action FROM read_parquet(${sqlText(localPath)}) AS c`)
    return rows.map((row) => {
      try {
        return withoutNulls(checkedAction(JSON.parse(String(row.action))))
      } catch (error) {
        throw new DeltaError(
          'DELTA_LOG_CORRUPT',
          `${localPath} holds a row that is not a Delta action`,
          error,
        )
      }
    })
  }

  async #assertColumns(snapshot: Snapshot, selectSql: string): Promise<void> {
    const described = await this.#rows(`DESCRIBE (${selectSql})`)
    const found = new Set(described.map((row) => String(row.column_name)))
    const declared = new Set(snapshot.schema.fields.map((field) => field.name))
    const missing = [...declared].filter((name) => !found.has(name))
    const extra = [...found].filter((name) => !declared.has(name))
    if (missing.length === 0 && extra.length === 0) return
    throw new DeltaError(
      'DELTA_SCHEMA_MISMATCH',
      `The rows do not have the table's columns; missing: ${missing.join(', ') || 'none'}; not in the table: ${extra.join(', ') || 'none'}`,
    )
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    const reader = await this.#connection.runAndReadAll(sql)
    return reader.getRowObjectsJson()
  }
}

function dataFileOf(snapshot: Snapshot, root: string, result: CopyResult): DataFile {
  const columns = new Map(
    result.column_statistics.map(({ key, value }) => [
      key.replace(/^"|"$/g, '').replaceAll('""', '"'),
      Object.fromEntries(value.map((entry) => [entry.key, entry.value])) as ColumnStatistics,
    ]),
  )
  const rowCount = Number(result.count)
  return {
    path: relative(root, result.filename).split(sep).join('/'),
    sizeBytes: Number(result.file_size_bytes),
    rowCount,
    partitionValues: Object.fromEntries(
      (result.partition_keys ?? []).map(({ key, value }) => [key, value === NULL_PARTITION ? null : value]),
    ),
    stats: statsOf(snapshot.schema, rowCount, columns),
  }
}

/** Structs that are null come back as objects of nulls or null; replay wants them absent. */
function withoutNulls(action: Action): Action {
  return Object.fromEntries(Object.entries(action).filter(([, value]) => value !== null)) as Action
}

function mismatch(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  if (!/^Conversion Error|^Invalid Input Error: (Failed to cast|Could not convert)/.test(message)) throw error
  throw new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `A value does not fit its column: ${message.split('\n')[0]}`,
    error,
  )
}
