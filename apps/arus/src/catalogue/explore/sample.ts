import { rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ArusError } from '../../errors.ts'
import type { DuckDb } from '../../lake/duckdb.ts'
import type { OnProgress } from '../../progress.ts'
import { loadColumns } from './loaded-file.ts'
import { sqlName, sqlText } from './rows.ts'

export interface SampleOptions {
  readonly productsFile: string
  readonly count: number
  readonly seed: number
  readonly outFile: string
  readonly duckdb: DuckDb
  readonly temporaryFolder: string
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

/**
 * Writes a random sample as CSV with the file's own columns; returns how many rows. Which rows depends on the seed and the
 * rows alone (those with the smallest MD5 of seed and row), so it is the same on every machine. Throws `FILE_UNREADABLE`, `CSV_INVALID`.
 */
export async function writeSample(options: SampleOptions): Promise<number> {
  const { productsFile, count, seed, outFile, duckdb, temporaryFolder, onProgress, signal } = options
  if (resolve(outFile) === resolve(productsFile)) {
    throw new ArusError('REQUEST_INVALID', `The sample would overwrite ${productsFile}; give another --out`)
  }
  const connection = await duckdb.connect()
  const onAbort = () => connection.interrupt()
  signal.addEventListener('abort', onAbort, { once: true })
  const step = `Sampling ${productsFile}`
  try {
    onProgress({ step, done: 0, total: 2, unit: 'steps' })
    const { relation, columns, rows } = await loadColumns(
      connection,
      productsFile,
      join(temporaryFolder, 'sampled.parquet'),
    )
    onProgress({ step, done: 1, total: 2, unit: 'steps' })
    const row = `concat_ws(chr(31), ${columns.map((name) => `coalesce(${sqlName(name)}, chr(30))`).join(', ')})`
    const chosen = `SELECT * EXCLUDE (order_key) FROM (SELECT *, md5(${sqlText(`${seed}/`)} || ${row}) AS order_key FROM ${relation} ORDER BY order_key LIMIT ${count}) ORDER BY order_key`
    await copyWhole(outFile, (target) =>
      connection.run(`COPY (${chosen}) TO ${sqlText(target)} (FORMAT csv, HEADER true)`),
    )
    onProgress({ step, done: 2, total: 2, unit: 'steps' })
    return Math.min(count, rows)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    connection.closeSync()
  }
}

/** The file appears under its name only when it is whole. */
async function copyWhole(outFile: string, write: (target: string) => Promise<unknown>): Promise<void> {
  const partial = `${outFile}.partial`
  try {
    await write(partial)
    await rename(partial, outFile)
  } catch (error) {
    await rm(partial, { force: true })
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new ArusError('FILE_UNREADABLE', `${outFile} could not be written: ${message}`, { cause: error })
  }
}
