import type { DuckDBConnection } from '@duckdb/node-api'

/**
 * Runs SQL work on one of DuckDB's threads, for the whole instance: rows come in the order of their files. A pipeline that
 * cannot be shared costs less so, too: the other thread would wait by asking for work without end.
 */
export async function onOneThread<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run('SET threads = 1')
  try {
    return await work()
  } finally {
    await connection.run('RESET threads')
  }
}
