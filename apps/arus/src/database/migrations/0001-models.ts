import type { Kysely } from 'kysely'
import { countedKey } from './columns.ts'

/** The registry: model versions, and the history of what was in production. */
export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('models')
    .addColumn('version', 'integer', countedKey(database))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('trained_at', 'bigint', (column) => column.notNull())
    .addColumn('promoted_at', 'bigint')
    .addColumn('reason', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('model_promotions')
    .addColumn('id', 'integer', countedKey(database))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .execute()
}
