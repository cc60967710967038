import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { PinnedRelation, SandboxSetup, TableUse } from './protocol.ts'

/** A DuckDB that serves one query: locked to the files of that query, then thrown away. */
export interface SandboxDatabase {
  readonly connection: DuckDBConnection
  close(): void
}

/** Opens a database that may still read anything; nothing of the asker's runs before `lock`. */
export async function openDatabase(setup: SandboxSetup): Promise<SandboxDatabase> {
  const { folder, memoryBytes, diskBytes, threadCount } = setup
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threadCount),
    memory_limit: mebibytes(memoryBytes),
    temp_directory: join(folder, 'spill'),
    max_temp_directory_size: mebibytes(diskBytes),
    home_directory: folder,
    extension_directory: folder,
    secret_directory: folder,
    allow_persistent_secrets: 'false',
    allow_community_extensions: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  return {
    connection,
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** From here on the database reads the files named and nothing else, and no setting can be changed any more. */
export async function lock(
  { connection }: SandboxDatabase,
  { files = [], folders = [] }: { readonly files?: readonly string[]; readonly folders?: readonly string[] },
): Promise<void> {
  await connection.run(`SET GLOBAL allowed_paths = ${textList(files)}`)
  await connection.run(`SET GLOBAL allowed_directories = ${textList(folders)}`)
  await connection.run('SET GLOBAL enable_external_access = false')
  await connection.run('SET GLOBAL lock_configuration = true')
}

/** Name of the view that stands for a table at a moment; the newest has the table's own. */
export function viewName({ name, at }: TableUse, place: number): string {
  const table = name.slice(name.indexOf('.') + 1)
  return at === null ? table : `${table} AT ${place}`
}

/** Makes the tables of a query known by their names, each at its version. */
export async function nameTables(
  { connection }: SandboxDatabase,
  tables: readonly TableUse[],
  relations: readonly PinnedRelation[],
): Promise<void> {
  await connection.run('CREATE SCHEMA bronze; CREATE SCHEMA silver; CREATE SCHEMA gold')
  for (const [place, use] of tables.entries()) {
    const schema = use.name.slice(0, use.name.indexOf('.'))
    await connection.run(
      `CREATE VIEW ${schema}."${viewName(use, place)}" AS SELECT * FROM ${relations[place]?.sql}`,
    )
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)}MiB`
}

function textList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')}]::VARCHAR[]`
}
