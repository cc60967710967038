import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresAdapter, sql } from 'kysely'
import { ArusError } from '../errors.ts'
import type { ArusDatabase } from './database.ts'

const ATTEMPTS = 50
const PAUSE_MS = 100
/** SQL state of a lock that was not had in time. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Leaves nothing in the database's files of what `erasures` held before and holds no more. Throws `NOT_READY` when it is
 * read all the time, or for so long that it cannot be done now; to be called again.
 */
export async function removeRemains(database: ArusDatabase): Promise<void> {
  const remove = database.getExecutor().adapter instanceof PostgresAdapter ? writeAnew : emptyWriteAheadLog
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await remove(database)) return
    await sleep(PAUSE_MS)
  }
  throw new ArusError(
    'NOT_READY',
    'Somebody reads the database all the time; what was removed could not be cleared from its files. Try again.',
  )
}

/** SQLite overwrites what it removes; the file that changes pass through is emptied. False while it is read. */
async function emptyWriteAheadLog(database: ArusDatabase): Promise<boolean> {
  const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(database)
  return rows[0]?.busy === 0
}

/**
 * PostgreSQL keeps old rows beside the new ones, and VACUUM FULL would take those along that a transaction anywhere in the
 * database may still see: so the rows that stand are put into an emptied table. False while somebody reads it. The
 * write-ahead log goes with its next turns (`max_wal_size`, `wal_keep_size`, slots); its archives and backups are the
 * operator's: docs/OPERATIONS.md.
 */
async function writeAnew(database: ArusDatabase): Promise<boolean> {
  try {
    await database.transaction().execute(async (transaction) => {
      await sql`set local lock_timeout = ${sql.lit(PAUSE_MS)}`.execute(transaction)
      const table = await transaction
        .selectFrom('erasures')
        .select(sql<string>`tableoid::regclass::text`.as('name'))
        .limit(1)
        .executeTakeFirst()
      if (table === undefined) return
      const erasures = sql.raw(table.name)
      await sql`lock table ${erasures} in access exclusive mode`.execute(transaction)
      await sql`create temporary table kept on commit drop as table ${erasures}`.execute(transaction)
      await sql`truncate ${erasures}`.execute(transaction)
      await sql`insert into ${erasures} overriding system value table kept`.execute(transaction)
    })
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return false
    throw error
  }
}
