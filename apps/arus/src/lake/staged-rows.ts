import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api'

/** Kinds of staged columns. */
export type StagedType = 'text' | 'number' | 'integer'

export type StagedValue = string | number | null

const TYPES: Readonly<Record<StagedType, DuckDBType>> = { text: VARCHAR, number: DOUBLE, integer: BIGINT }
const CHUNK_ROWS = 2_048

/**
 * Puts rows into a new temporary table of the connection, column by column in chunks: many times faster than INSERT.
 * `columns[i]` holds the values of the i-th column, all of one length.
 */
export async function stageRows(
  connection: DuckDBConnection,
  table: string,
  layout: readonly (readonly [name: string, type: StagedType])[],
  columns: readonly (readonly StagedValue[])[],
): Promise<void> {
  const definitions = layout.map(
    ([name, type]) => `"${name}" ${type === 'text' ? 'VARCHAR' : type === 'number' ? 'DOUBLE' : 'BIGINT'}`,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (${definitions.join(', ')})`)
  const rowCount = columns[0]?.length ?? 0
  const appender = await connection.createAppender(table)
  const types = layout.map(([, type]) => TYPES[type])
  for (let from = 0; from < rowCount; from += CHUNK_ROWS) {
    const chunk = DuckDBDataChunk.create(types, Math.min(CHUNK_ROWS, rowCount - from))
    chunk.setColumns(
      columns.map((values, i) =>
        values
          .slice(from, from + CHUNK_ROWS)
          .map(
            (value): DuckDBValue => (value !== null && layout[i]?.[1] === 'integer' ? BigInt(value) : value),
          ),
      ),
    )
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}
