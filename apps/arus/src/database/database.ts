import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { type Generated, Kysely, SqliteDialect } from 'kysely'
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration'
import { ArusError } from '../errors.ts'
import { up as createModels } from './migrations/0001-models.ts'
import { up as createApiKeys } from './migrations/0002-api-keys.ts'

/** Tables, as Kysely needs to know them. JSON stands in text columns; times are UTC milliseconds. */
export interface DatabaseSchema {
  readonly models: ModelTable
  readonly model_promotions: PromotionTable
  readonly api_keys: ApiKeyTable
}

export interface ModelTable {
  readonly version: Generated<number>
  readonly kind: string
  readonly status: string
  readonly details: string
  readonly sha256: string
  readonly size_bytes: number
  readonly trained_at: number
  readonly promoted_at: number | null
  readonly reason: string
}

export interface PromotionTable {
  readonly id: Generated<number>
  readonly version: number
  readonly at: number
  readonly reason: string
}

export interface ApiKeyTable {
  readonly id: string
  readonly kind: string
  readonly name: string
  /** Of the key's whole text, hexadecimal. */
  readonly sha256: string
  readonly origins: string
  readonly rate_limit_per_minute: number | null
  readonly created_at: number
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

export type ArusDatabase = Kysely<DatabaseSchema>

const BUSY_TIMEOUT_MS = 10_000
const MIGRATION_ATTEMPTS = 5

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-models': { up: createModels },
  '0002-api-keys': { up: createApiKeys },
}

/** Opens (or makes) the SQLite database of the shop and brings it up to date. Several processes may have it open. */
export async function openDatabase({ file }: { readonly file: string }): Promise<ArusDatabase> {
  mkdirSync(dirname(file), { recursive: true })
  const sqlite = new Sqlite(file)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const database = new Kysely<DatabaseSchema>({ dialect: new SqliteDialect({ database: sqlite }) })
  await migrate(database)
  return database
}

/**
 * Kysely takes no lock on SQLite while it migrates, so processes that start together may collide; the one that lost
 * looks again and finds the work done.
 */
async function migrate(database: ArusDatabase): Promise<void> {
  const provider: MigrationProvider = { getMigrations: async () => ({ ...MIGRATIONS }) }
  for (let attempt = 1; ; attempt++) {
    const { error } = await new Migrator({ db: database, provider }).migrateToLatest()
    if (error === undefined) return
    if (attempt >= MIGRATION_ATTEMPTS) {
      await database.destroy()
      const message = error instanceof Error ? error.message : String(error)
      throw new ArusError('INTERNAL', `The database could not be brought up to date: ${message}`, {
        cause: error,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 100 * attempt))
  }
}
