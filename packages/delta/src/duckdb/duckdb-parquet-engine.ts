import { type DuckDBConnection, DuckDBInstance, type DuckDBType } from '@duckdb/node-api'
import type { Action } from '../actions.ts'
import { DeltaError } from '../errors.ts'
import type { DataFile, ParquetEngine, WriteTarget } from '../parquet-engine.ts'
import type { Scan } from '../scan.ts'
import { column, type StructField } from '../schema.ts'
import { writeActions } from './checkpoint-rows.ts'
import { deltaType } from './delta-types.ts'
import { scansByLayout } from './file-layouts.ts'
import { queryError } from './query-errors.ts'
import { relationOf } from './relation.ts'
import { sqlName, sqlText } from './sql-types.ts'
import { type FileOptions, writeFiles } from './write-files.ts'

/**
 * Parquet and SQL through DuckDB. The connection must be set to time zone UTC and must not be used by others while a
 * call runs.
 */
export class DuckDbParquetEngine implements ParquetEngine {
  readonly #connection: DuckDBConnection
  readonly #files: FileOptions

  constructor(connection: DuckDBConnection, files: FileOptions = {}) {
    this.#connection = connection
    this.#files = files
  }

  /** An engine on a DuckDB of its own, in memory. */
  static async open(files: FileOptions = {}): Promise<DuckDbParquetEngine> {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run("SET TimeZone = 'UTC'")
    return new DuckDbParquetEngine(connection, files)
  }

  async write(selectSql: string, target: WriteTarget): Promise<DataFile[]> {
    const found = await this.columns(selectSql)
    return writeFiles(this.#connection, { selectSql, found }, { target, files: this.#files })
  }

  async relation(scan: Scan): Promise<string> {
    const scans = await scansByLayout((sql) => this.rows(sql), scan)
    const [only, ...others] = scans.map((one) => relationOf(one))
    if (only !== undefined && others.length === 0) return only
    return `(${[only, ...others].map((relation) => `SELECT * FROM ${relation}`).join(' UNION ALL ')})`
  }

  writeActions(localPath: string, actions: readonly Action[]): Promise<number> {
    return writeActions(this.#connection, localPath, actions)
  }

  async columns(selectSql: string): Promise<StructField[]> {
    const statement = await this.#connection
      .prepare(`SELECT * FROM (${selectSql})`)
      .catch((error: unknown) => {
        throw new DeltaError(
          'DELTA_SCHEMA_MISMATCH',
          `The query cannot be understood: ${messageOf(error)}`,
          error,
        )
      })
    try {
      return Array.from({ length: statement.columnCount }, (_, i) =>
        column(statement.columnName(i), deltaType(statement.columnType(i) as DuckDBType)),
      )
    } finally {
      statement.destroySync()
    }
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    try {
      return (await this.#connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
    } catch (error) {
      throw queryError(error)
    }
  }

  quoteName(name: string): string {
    return sqlName(name)
  }

  quoteText(text: string): string {
    return sqlText(text)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
