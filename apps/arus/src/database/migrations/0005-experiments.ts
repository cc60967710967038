import type { Kysely } from 'kysely'

/** Experiments: what was decided of each, and how it went. Who is in which variant is computed, never kept. */
export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('experiments')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('stopped_at', 'bigint')
    .addColumn('stop_reason', 'text')
    .addColumn('verdict', 'text')
    .execute()
}
