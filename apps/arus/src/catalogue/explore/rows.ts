import type { DuckDBConnection } from '@duckdb/node-api'

/** Rows of a query as objects of JSON values. */
export async function asRows(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql)
  return reader.getRowObjectsJson()
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
