import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { type Generated, Kysely, SqliteDialect, sql } from 'kysely'
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration'
import { ArusError } from '../errors.ts'
import { up as createModels } from './migrations/0001-models.ts'
import { up as createApiKeys } from './migrations/0002-api-keys.ts'
import { up as createErasures } from './migrations/0003-erasures.ts'
import { up as createRules } from './migrations/0004-rules.ts'
import { up as createExperiments } from './migrations/0005-experiments.ts'

/** Tables, as Kysely needs to know them. JSON stands in text columns; times are UTC milliseconds. */
export interface DatabaseSchema {
  readonly models: ModelTable
  readonly model_promotions: PromotionTable
  readonly api_keys: ApiKeyTable
  readonly erasures: ErasureTable
  readonly rules: RuleTable
  readonly rule_book: RuleBookTable
  readonly experiments: ExperimentTable
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

export interface ErasureTable {
  readonly id: Generated<number>
  /** SHA-256 of each name of the shopper that may sign in again, hexadecimal, JSON. */
  readonly hashes: string
  /** Who it is and what was found of them, JSON; null once it is done. */
  readonly work: string | null
  readonly requested_at: number
  readonly finished_at: number | null
  /** Intake of their oldest event; null until it is known, or where there was none. */
  readonly first_event_at: number | null
  /** How far the work is, JSON. */
  readonly progress: string | null
  /** Why the last try failed. */
  readonly failure: string | null
  readonly report: string | null
}

export interface RuleTable {
  readonly id: string
  readonly from_revision: number
  /** Null while it stands. */
  readonly until_revision: number | null
  /** JSON. */
  readonly definition: string
}

/** One row. */
export interface RuleBookTable {
  readonly revision: number
  /** Rules as they were before this one are no longer known whole. */
  readonly oldest_revision: number
}

export interface ExperimentTable {
  readonly id: string
  readonly name: string
  readonly status: string
  /** What was decided, JSON. */
  readonly plan: string
  readonly created_at: number
  readonly started_at: number | null
  readonly stopped_at: number | null
  readonly stop_reason: string | null
  /** JSON. */
  readonly verdict: string | null
}

export type ArusDatabase = Kysely<DatabaseSchema>

const BUSY_TIMEOUT_MS = 10_000
const MIGRATION_ATTEMPTS = 5
const CHECKPOINT_ATTEMPTS = 50

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-models': { up: createModels },
  '0002-api-keys': { up: createApiKeys },
  '0003-erasures': { up: createErasures },
  '0004-rules': { up: createRules },
  '0005-experiments': { up: createExperiments },
}

/** Opens (or makes) the SQLite database of the shop and brings it up to date. Several processes may have it open. */
export async function openDatabase({ file }: { readonly file: string }): Promise<ArusDatabase> {
  mkdirSync(dirname(file), { recursive: true })
  const sqlite = new Sqlite(file)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  // What is removed is overwritten.
  sqlite.pragma('secure_delete = ON')
  sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const database = new Kysely<DatabaseSchema>({ dialect: new SqliteDialect({ database: sqlite }) })
  await migrate(database)
  return database
}

/** Leaves nothing in the file that changes pass through but what stands in the database now. */
export async function emptyWriteAheadLog(database: ArusDatabase): Promise<void> {
  for (let attempt = 0; attempt < CHECKPOINT_ATTEMPTS; attempt++) {
    const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(database)
    if (rows[0]?.busy === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new ArusError(
    'NOT_READY',
    'The database is read all the time; its log could not be emptied. Try again.',
  )
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
