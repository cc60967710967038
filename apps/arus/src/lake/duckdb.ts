import { mkdirSync } from 'node:fs'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** DuckDB of this process: in memory, spilling to a folder beyond its limit. */
export interface DuckDb {
  /** A connection in time zone UTC; the caller closes it. */
  connect(): Promise<DuckDBConnection>
  close(): Promise<void>
}

export interface DuckDbOptions {
  readonly temporaryFolder: string
  readonly memoryBytes: number
}

/** Opens DuckDB; it is started with the first connection. */
export async function openDuckDb({ temporaryFolder, memoryBytes }: DuckDbOptions): Promise<DuckDb> {
  let starting: Promise<DuckDBInstance> | null = null
  const start = async () => {
    mkdirSync(temporaryFolder, { recursive: true })
    return DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.floor(memoryBytes / 1024 / 1024)}MiB`,
      temp_directory: temporaryFolder,
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
  }
  return {
    async connect() {
      starting ??= start()
      const connection = await (await starting).connect()
      await connection.run("SET TimeZone = 'UTC'")
      return connection
    },
    async close() {
      ;(await starting)?.closeSync()
    },
  }
}
