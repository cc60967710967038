import type { Kysely } from 'kysely'
import { countedKey, keepOutOfStatistics } from './columns.ts'

/** Requests to forget a shopper. Who it is stands in `work` until the work is done, and nowhere after. */
export async function up(database: Kysely<unknown>, schema?: string): Promise<void> {
  await database.schema
    .createTable('erasures')
    .addColumn('id', 'integer', countedKey(database))
    .addColumn('hashes', 'text', (column) => column.notNull())
    .addColumn('work', 'text')
    .addColumn('requested_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('first_event_at', 'bigint')
    .addColumn('progress', 'text')
    .addColumn('failure', 'text')
    .addColumn('report', 'text')
    .execute()
  if (schema === undefined) return
  for (const column of ['work', 'failure'])
    await keepOutOfStatistics(database, { schema, table: 'erasures', column })
}
