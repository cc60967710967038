import type { Kysely } from 'kysely'

/** Requests to forget a shopper. Who it is stands in `work` until the work is done, and nowhere after. */
export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('erasures')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('hashes', 'text', (column) => column.notNull())
    .addColumn('work', 'text')
    .addColumn('requested_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('first_event_at', 'bigint')
    .addColumn('progress', 'text')
    .addColumn('failure', 'text')
    .addColumn('report', 'text')
    .execute()
}
