import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { ArusDatabase } from './database.ts'

/** A database for one test, empty at first: SQLite, or PostgreSQL at `ARUS_TEST_DATABASE_URL` where that is set. */
export interface TestDatabase extends AsyncDisposable {
  /** For whatever else the test keeps. */
  readonly folder: string
  /** A connection, like that of another process. Closed with the rest, if it is not before. */
  open(): Promise<ArusDatabase>
  /** True when a file in which the database keeps its rows holds the text. */
  holds(text: string): Promise<boolean>
  close(): Promise<void>
}

export async function openTestDatabase(): Promise<TestDatabase> {
  const url = process.env.ARUS_TEST_DATABASE_URL
  const folder = mkdtempSync(join(tmpdir(), 'arus-database-'))
  const connections: ArusDatabase[] = []
  const kind = url === undefined ? sqliteIn(folder) : postgresAt(url)
  const close = async () => {
    for (const connection of connections) await connection.destroy()
    await kind.remove()
    rmSync(folder, { recursive: true })
  }
  return {
    folder,
    async open() {
      const connection = await kind.open()
      connections.push(connection)
      return connection
    },
    async holds(text) {
      return readdirSync(await kind.files(), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Kind {
  open(): Promise<ArusDatabase>
  /** The folder in which rows stand. */
  files(): Promise<string>
  remove(): Promise<void>
}

function sqliteIn(folder: string): Kind {
  return {
    async open() {
      const { openSqliteDatabase } = await import('./sqlite-database.ts')
      return openSqliteDatabase({ file: join(folder, 'database', 'arus.sqlite') })
    },
    files: async () => join(folder, 'database'),
    remove: async () => {},
  }
}

/** A schema of its own. Not looked at: the write-ahead log, which holds everything for a while. */
function postgresAt(url: string): Kind {
  const shop = `test_${Math.random().toString(36).slice(2)}`
  const open = async () => {
    const { openPostgresDatabase } = await import('./postgres-database.ts')
    return openPostgresDatabase({ url, shop, connectionsMax: 4 })
  }
  const asking = async <T>(work: (database: ArusDatabase) => Promise<T>) => {
    const database = await open()
    return work(database).finally(() => database.destroy())
  }
  return {
    open,
    files: () =>
      asking(async (database) => {
        await sql`checkpoint`.execute(database)
        const { rows } = await sql<{ data_directory: string }>`show data_directory`.execute(database)
        return join(rows[0]?.data_directory ?? '', 'base')
      }),
    remove: () =>
      asking(async (database) => {
        await sql`drop schema ${sql.id(`arus_${shop}`)} cascade`.execute(database)
      }),
  }
}
