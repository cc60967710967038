import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** DuckDB of this process: in memory, spilling to a folder beyond its limit. */
export interface DuckDb {
  /** A connection in time zone UTC; the caller closes it. */
  connect(): Promise<DuckDBConnection>
  close(): Promise<void>
}

export interface DuckDbOptions {
  /** Each process spills into a folder of its own below it: those of two would have the same names. */
  readonly temporaryFolder: string
  readonly memoryBytes: number
}

/** Opens DuckDB; it is started with the first connection. */
export async function openDuckDb({ temporaryFolder, memoryBytes }: DuckDbOptions): Promise<DuckDb> {
  let starting: Promise<DuckDBInstance> | null = null
  const spill = join(temporaryFolder, `duckdb-${process.pid}-${randomUUID()}`)
  const start = async () => {
    mkdirSync(temporaryFolder, { recursive: true })
    removeLeftOver(temporaryFolder)
    return DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.floor(memoryBytes / 1024 / 1024)}MiB`,
      temp_directory: spill,
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
      rmSync(spill, { recursive: true, force: true })
    },
  }
}

/** What processes that were killed had spilled: rows of anybody. */
function removeLeftOver(temporaryFolder: string): void {
  for (const name of readdirSync(temporaryFolder)) {
    const pid = Number(/^duckdb-(\d+)-/.exec(name)?.[1] ?? process.pid)
    if (!isRunning(pid)) rmSync(join(temporaryFolder, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
