import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBAppender, DuckDBDataChunk } from '@duckdb/node-api'
import type { SandboxSetup } from '../protocol.ts'
import { lock, openDatabase, type SandboxDatabase } from '../sandbox-database.ts'
import { NO_BYTES, type ResultColumn, type RowEncoder } from './row-encoder.ts'

/** A share of the process's memory is enough to write: what does not fit is spilled. */
const WRITER_MEMORY_SHARE = 0.25

/**
 * Rows as one zstd Parquet file. The asker's database cannot write, so the rows are handed, chunk by chunk, to a second
 * database that runs no text of the asker's; it may write to the result's folder alone.
 */
export function parquetRows(columns: readonly ResultColumn[], setup: SandboxSetup): RowEncoder {
  const folder = join(setup.folder, 'result')
  const file = join(folder, 'rows.parquet')
  let writer: SandboxDatabase | null = null
  let appender: DuckDBAppender | null = null
  return {
    async begin() {
      writer = await openDatabase({ ...setup, memoryBytes: setup.memoryBytes * WRITER_MEMORY_SHARE })
      await lock(writer, { folders: [join(folder, '/')] })
      const list = columns.map(({ name, type }) => `${quoted(name)} ${String(type)}`).join(', ')
      await writer.connection.run(`CREATE TABLE rows (${list})`)
      appender = await writer.connection.createAppender('rows')
      return NO_BYTES
    },
    async rows(chunk: DuckDBDataChunk, count: number) {
      if (count < chunk.rowCount) chunk.rowCount = count
      appender?.appendDataChunk(chunk)
      return NO_BYTES
    },
    async *end() {
      appender?.closeSync()
      await writer?.connection.run(
        `COPY rows TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
      )
      for await (const bytes of createReadStream(file)) yield bytes as Buffer
      await rm(file, { force: true })
    },
    close() {
      writer?.close()
    },
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
