import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  PostgresDriver,
  sql,
  type TransactionSettings,
  WithSchemaPlugin,
} from 'kysely'
import { ArusError } from '../errors.ts'
import type { ArusDatabase, DatabaseSchema } from './database.ts'
import { migrate } from './migrate.ts'
import { PostgresPool } from './postgres-pool.ts'

/** `server_version_num` of the oldest PostgreSQL that will do. */
const OLDEST_VERSION = 140_000

export interface PostgresDatabaseOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: string
  /** Has a schema of its own, so that several shops share a database without seeing each other. */
  readonly shop: string
  /** Connections this process holds at most. Default 8. */
  readonly connectionsMax?: number
}

/**
 * Opens the shop's schema in a PostgreSQL database, made when there is none, and brings it up to date; processes that start
 * together do so one after the other. Throws `ENGINE_UNREACHABLE` when it does not answer, and `ENGINE_UNUSABLE` when the
 * user, the database, its version or the rights will not do. Queries throw the first while the server is away, and work
 * again once it is back.
 */
export async function openPostgresDatabase(options: PostgresDatabaseOptions): Promise<ArusDatabase> {
  const { url, shop, connectionsMax = 8 } = options
  const schema = schemaOf(shop)
  const config = { pool: new PostgresPool(url, connectionsMax) }
  const dialect = new PostgresDialect(config)
  const database = new Kysely<DatabaseSchema>({
    dialect: {
      createDriver: () => new OneWriterDriver(config, schema),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
    },
    // Names the schema in every query, rather than in a search path: poolers between us and the server lose that.
    plugins: [new WithSchemaPlugin(schema)],
  })
  try {
    assertNotTooOld(await versionOf(database))
    await migrate(database, schema)
  } catch (error) {
    await database.destroy()
    if (error instanceof ArusError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new ArusError('INTERNAL', `The database could not be brought up to date: ${message}`, {
      cause: error,
    })
  }
  return database
}

/** Name of a shop's schema. */
export function schemaOf(shop: string): string {
  return `arus_${shop}`
}

/**
 * Lets one transaction of the shop write at a time, over all processes, as SQLite does; then what a transaction has read
 * stands until it has written. Few write, and none for long. The lock ends with the transaction.
 */
class OneWriterDriver extends PostgresDriver {
  readonly #schema: string

  constructor(config: { readonly pool: PostgresPool }, schema: string) {
    super(config)
    this.#schema = schema
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    await super.beginTransaction(connection, settings)
    if (settings.accessMode === 'read only') return
    await connection.executeQuery(
      CompiledQuery.raw('select pg_advisory_xact_lock(hashtextextended($1, 0))', [this.#schema]),
    )
  }
}

interface ServerVersion {
  /** `server_version_num`: 180006 for 18.6. */
  readonly number: number
  readonly text: string
}

/** Throws `ENGINE_UNUSABLE`. */
export function assertNotTooOld({ number, text }: ServerVersion): void {
  if (number >= OLDEST_VERSION) return
  throw new ArusError(
    'ENGINE_UNUSABLE',
    `DATABASE_URL: PostgreSQL ${OLDEST_VERSION / 10_000} or newer is needed, found ${text}`,
  )
}

async function versionOf(database: ArusDatabase): Promise<ServerVersion> {
  const { rows } = await sql<ServerVersion>`
    select current_setting('server_version_num')::integer as number, current_setting('server_version') as text
  `.execute(database)
  return rows[0] ?? { number: 0, text: 'none' }
}
