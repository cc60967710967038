import type { Kysely } from 'kysely'

/**
 * Rules of the business. A row is a rule as it stood from one revision of all rules until another; what was changed or removed
 * stays, so that answers of then can be computed again. `rule_book` has one row: the newest revision, and the oldest that is
 * still known whole.
 */
export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('rules')
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('from_revision', 'bigint', (column) => column.notNull())
    .addColumn('until_revision', 'bigint')
    .addColumn('definition', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('rules_primary_key', ['id', 'from_revision'])
    .execute()
  await database.schema
    .createTable('rule_book')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('oldest_revision', 'bigint', (column) => column.notNull())
    .execute()
  await (database as Kysely<{ rule_book: { revision: number; oldest_revision: number } }>)
    .insertInto('rule_book')
    .values({ revision: 0, oldest_revision: 0 })
    .execute()
}
