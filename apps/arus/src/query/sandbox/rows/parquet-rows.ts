import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../../../errors.ts'
import type { SandboxSetup } from '../protocol.ts'
import { lock, openDatabase, type SandboxDatabase } from '../sandbox-database.ts'
import type { AnswerRows, RowEncoder } from './row-encoder.ts'

/** A share of the process's memory is enough to write: what does not fit is spilled. */
const WRITER_MEMORY_SHARE = 0.25

/**
 * Rows as one zstd Parquet file. The asker's database cannot write, so the rows are handed, chunk by chunk, to a second
 * database that runs no text of the asker's; it may write to the result's folder alone.
 */
export function parquetRows(setup: SandboxSetup): RowEncoder {
  return async function* (answer) {
    const folder = join(setup.folder, 'result')
    const file = join(folder, 'rows.parquet')
    const writer = await openDatabase({ ...setup, memoryBytes: setup.memoryBytes * WRITER_MEMORY_SHARE })
    try {
      await lock(writer, { folders: [join(folder, '/')] })
      await handOver(answer, writer)
      await writer.connection.run(
        `COPY rows TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
      )
      for await (const bytes of createReadStream(file)) yield bytes as Buffer
    } finally {
      writer.close()
      await rm(file, { force: true })
    }
  }
}

async function handOver(
  { connection, columns, rowCount }: AnswerRows,
  writer: SandboxDatabase,
): Promise<void> {
  const list = columns.map(({ name, type }) => `${quoted(name)} ${String(type)}`).join(', ')
  await writer.connection.run(`CREATE TABLE rows (${list})`)
  const appender = await writer.connection.createAppender('rows')
  const rows = await connection.stream('SELECT * FROM answer')
  for (let left = rowCount; left > 0; ) {
    const chunk = await rows.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) {
      throw new ArusError(
        'QUERY_TOO_EXPENSIVE',
        `The last ${left} rows could not be read back; ask for fewer`,
      )
    }
    if (left < chunk.rowCount) chunk.rowCount = left
    left -= chunk.rowCount
    appender.appendDataChunk(chunk)
    // Its memory is not on the heap, so the collector would let it pile up.
    chunk.reset()
  }
  appender.closeSync()
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
