import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from '../lake/lake.ts'
import type { TableName } from '../lake/table-names.ts'
import { duckdbDialect } from './duckdb-dialect.ts'
import { jsonValue } from './json-value.ts'
import type { QueryEngine, QueryOptions, QueryResult } from './query-engine.ts'
import { tablesIn } from './tables-in.ts'

export interface DuckDbQueryEngineOptions {
  readonly lake: Lake
  /** The only folder a query can read: the lake's. */
  readonly lakeRoot: string
  readonly memoryBytes?: number
}

const ROW_LIMIT = 10_000
const TIMEOUT_MS = 30_000
/**
 * SQL by a DuckDB in this process: for the questions of Arus itself, whose text is known and whose answers are small. They
 * are neither behind a stranger's query in a queue, nor do they pay for a process and a database of their own. What
 * comes from outside goes to `LakeSql`.
 */
export async function openDuckDbQueryEngine(options: DuckDbQueryEngineOptions): Promise<QueryEngine> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor((options.memoryBytes ?? 512 * 1024 * 1024) / 1024 / 1024)}MiB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const admin = await instance.connect()
  await admin.run(`SET GLOBAL TimeZone = 'UTC'`)
  await admin.run('CREATE SCHEMA bronze; CREATE SCHEMA silver; CREATE SCHEMA gold')
  await admin.run(`SET GLOBAL allowed_directories = ['${join(options.lakeRoot, '/').replaceAll("'", "''")}']`)
  await admin.run('SET GLOBAL enable_external_access = false')
  await admin.run('SET GLOBAL lock_configuration = true')
  return new DuckDbQueryEngine(instance, admin, options.lake)
}

class DuckDbQueryEngine implements QueryEngine {
  readonly dialect = duckdbDialect
  readonly #instance: DuckDBInstance
  readonly #admin: DuckDBConnection
  readonly #lake: Lake
  readonly #idle: DuckDBConnection[] = []
  readonly #views = new Map<TableName, number>()
  #viewing: Promise<unknown> = Promise.resolve()

  constructor(instance: DuckDBInstance, admin: DuckDBConnection, lake: Lake) {
    this.#instance = instance
    this.#admin = admin
    this.#lake = lake
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const startedAt = performance.now()
    options.signal?.throwIfAborted()
    const names = tablesIn(sql)
    const connection = this.#idle.pop() ?? (await this.#instance.connect())
    try {
      const table_versions = await this.#refreshViews(names)
      const { columns, rows, truncated } = await run(connection, sql, options)
      return { columns, rows, truncated, took_ms: performance.now() - startedAt, table_versions }
    } catch (error) {
      throw invalid(error, sql)
    } finally {
      this.#idle.push(connection)
    }
  }

  versions(tables: readonly TableName[]): Promise<Readonly<Record<string, number>>> {
    return this.#refreshViews(tables)
  }

  async isHealthy(): Promise<boolean> {
    try {
      await this.#admin.run('SELECT 1')
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    for (const connection of [...this.#idle.splice(0), this.#admin]) connection.closeSync()
    this.#instance.closeSync()
  }

  /** Points the views at the newest versions, one caller at a time; a query that has begun keeps what it was bound to. */
  #refreshViews(names: readonly TableName[]): Promise<Readonly<Record<string, number>>> {
    const refreshing = this.#viewing.then(async () => {
      const versions: Record<string, number> = {}
      for (const name of names) {
        const { sql, version } = await this.#lake.relation(name)
        if (this.#views.get(name) !== version) {
          await this.#admin.run(`CREATE OR REPLACE VIEW ${name} AS SELECT * FROM ${sql}`)
          this.#views.set(name, version)
        }
        versions[name] = version
      }
      return versions
    })
    this.#viewing = refreshing.catch(() => {})
    return refreshing
  }
}

async function run(connection: DuckDBConnection, sql: string, options: QueryOptions) {
  const { params = [], rowLimit = ROW_LIMIT, timeoutMs = TIMEOUT_MS, signal } = options
  const statement = await onlySelect(connection, sql)
  const bound = params.map((value) => value)
  if (bound.length > 0) statement.bind(bound)
  let stopped: 'timeout' | 'cancelled' | null = null
  const stop = (why: 'timeout' | 'cancelled') => {
    stopped = why
    connection.interrupt()
  }
  const timer = setTimeout(() => stop('timeout'), timeoutMs)
  const onAbort = () => stop('cancelled')
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const reader = await statement.streamAndReadUntil(rowLimit + 1)
    const columns = reader.columnNames().map((name, i) => ({ name, type: String(reader.columnType(i)) }))
    const rows = reader
      .getRows()
      .slice(0, rowLimit)
      .map((row) => row.map(jsonValue))
    return { columns, rows, truncated: reader.currentRowCount > rowLimit }
  } catch (error) {
    if (stopped === 'timeout') {
      throw new ArusError(
        'QUERY_TIMEOUT',
        `The query took longer than ${timeoutMs} ms and was stopped; narrow it down by date`,
      )
    }
    if (stopped === 'cancelled') throw new ArusError('CANCELLED', 'The query was cancelled')
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    statement.destroySync()
  }
}

async function onlySelect(connection: DuckDBConnection, sql: string) {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) {
    throw new ArusError('QUERY_INVALID', `Send one SELECT; found ${statements.count} statements`)
  }
  const statement = await statements.prepare(0)
  if (statement.statementType === StatementType.SELECT) return statement
  throw new ArusError('QUERY_INVALID', 'Only SELECT is possible here: the lake is written by Arus alone')
}

/** DuckDB's own refusals become `QUERY_INVALID` with its message, which says where. */
function invalid(error: unknown, sql: string): ArusError {
  if (error instanceof ArusError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ArusError('QUERY_INVALID', message, { cause: error, details: { sql } })
}
