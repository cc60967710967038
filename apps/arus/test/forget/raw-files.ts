import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { DuckDBConnection } from '@duckdb/node-api'

/** Where a text was found. */
export interface Found {
  readonly file: string
  readonly text: string
}

/**
 * Files below a folder that hold one of the texts: in their bytes, in what gzip and Zstandard packed, and in the rows of
 * Parquet, whose pages are compressed. Not while this process has the databases open: to read a file of LMDB or SQLite is to
 * let go of its locks.
 */
export async function filesHolding(
  folder: string,
  texts: readonly string[],
  connection: DuckDBConnection,
): Promise<Found[]> {
  const found: Found[] = []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const whole = readFileSync(path)
    const forms: Buffer[] = [whole]
    const unpacked = unpackedOf(whole)
    if (unpacked !== null) forms.push(unpacked)
    if (entry.name.endsWith('.parquet')) forms.push(await rowsOf(path, connection))
    for (const text of texts)
      if (forms.some((bytes) => bytes.includes(text))) found.push({ file: relative(folder, path), text })
  }
  return found
}

function unpackedOf(bytes: NonSharedBuffer): Buffer | null {
  if (bytes.length > 4 && bytes.readUInt16BE(0) === 0x1f8b) return gunzipSync(bytes)
  if (bytes.length > 4 && bytes.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(bytes)
  return null
}

async function rowsOf(path: string, connection: DuckDBConnection): Promise<Buffer> {
  const reader = await connection.runAndReadAll(
    `SELECT t::VARCHAR FROM (FROM read_parquet('${path.replaceAll("'", "''")}', hive_partitioning = false)) t`,
  )
  return Buffer.from(reader.getRows().flat().join('\n'))
}
