import { type ColumnDefinitionBuilder, type Kysely, PostgresAdapter, sql } from 'kysely'

/** A primary key that counts up by itself. */
export function countedKey(
  database: Kysely<unknown>,
): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) =>
    isPostgres(database)
      ? column.primaryKey().generatedAlwaysAsIdentity()
      : column.primaryKey().autoIncrement()
}

/** A column of a table of PostgreSQL. */
export interface ColumnPlace {
  readonly schema: string
  readonly table: string
  readonly column: string
}

/** Keeps samples of a column's values out of the planner's statistics, where they would outlast the values. */
export async function keepOutOfStatistics(
  database: Kysely<unknown>,
  { schema, table, column }: ColumnPlace,
): Promise<void> {
  await sql`alter table ${sql.id(schema, table)} alter column ${sql.id(column)} set statistics 0`.execute(
    database,
  )
}

function isPostgres(database: Kysely<unknown>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter
}
