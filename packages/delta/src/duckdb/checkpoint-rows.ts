import { rm, stat, writeFile } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Action } from '../actions.ts'
import { checkpointColumns } from './checkpoint-columns.ts'
import { sqlName, sqlText } from './sql-types.ts'

const LINE_BYTES_MIN = 1024 * 1024

/** Writes a checkpoint (Protocol, "Checkpoint Schema") by way of JSON; returns its size in bytes. */
export async function writeActions(
  connection: DuckDBConnection,
  localPath: string,
  actions: readonly Action[],
): Promise<number> {
  const json = `${localPath}.json`
  try {
    const lines = actions.map((action) => JSON.stringify(action))
    await writeFile(json, lines.join('\n'))
    // DuckDB takes twice this at once, however little there is to read. A character has up to three bytes.
    const longest = 3 * lines.reduce((most, line) => Math.max(most, line.length), 0)
    const columns = checkpointColumns(actions)
    const names = Object.keys(columns).map(sqlName).join(', ')
    const types = Object.entries(columns).map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`)
    await connection.run(
      `COPY (SELECT ${names} FROM read_json(${sqlText(json)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = ${Math.max(LINE_BYTES_MIN, longest)})) TO ${sqlText(localPath)} (FORMAT parquet, COMPRESSION snappy)`,
    )
  } finally {
    await rm(json, { force: true })
  }
  return (await stat(localPath)).size
}
