import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteDialect,
  SqliteDriver,
  type TransactionSettings,
} from 'kysely'
import { ArusError } from '../errors.ts'
import type { ArusDatabase, DatabaseSchema } from './database.ts'
import { migrate } from './migrate.ts'

const BUSY_TIMEOUT_MS = 10_000
const MIGRATION_ATTEMPTS = 5

/** Opens (or makes) the SQLite database of the shop and brings it up to date. Several processes may have it open. */
export async function openSqliteDatabase({ file }: { readonly file: string }): Promise<ArusDatabase> {
  mkdirSync(dirname(file), { recursive: true })
  const sqlite = new Sqlite(file)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  // What is removed is overwritten.
  sqlite.pragma('secure_delete = ON')
  sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const config = { database: sqlite }
  const dialect = new SqliteDialect(config)
  const database = new Kysely<DatabaseSchema>({
    dialect: {
      createDriver: () => new OneWriterDriver(config),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
    },
  })
  await migrateTogether(database)
  return database
}

/** A transaction that may write waits for its turn as it begins: one that had read before could no longer get it. */
class OneWriterDriver extends SqliteDriver {
  override async beginTransaction(
    connection: DatabaseConnection,
    settings?: TransactionSettings,
  ): Promise<void> {
    const begin = settings?.accessMode === 'read only' ? 'begin' : 'begin immediate'
    await connection.executeQuery(CompiledQuery.raw(begin))
  }
}

/**
 * Kysely takes no lock on SQLite while it migrates, so processes that start together may collide; the one that lost
 * looks again and finds the work done.
 */
async function migrateTogether(database: ArusDatabase): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const error = await migrate(database).catch((thrown: unknown) => thrown ?? 'unknown')
    if (error === undefined) return
    if (attempt >= MIGRATION_ATTEMPTS) {
      await database.destroy()
      const message = error instanceof Error ? error.message : String(error)
      throw new ArusError('INTERNAL', `The database could not be brought up to date: ${message}`, {
        cause: error,
      })
    }
    await sleep(100 * attempt)
  }
}
