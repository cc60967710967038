import type { AddFile } from './actions.ts'
import { readDeletionVector } from './deletion-vector.ts'
import { openScan, SCAN_FILE, SCAN_ROW } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import type { TableAccess } from './transact.ts'

/** A file that stayed, with other rows deleted. */
export interface VectorChange {
  readonly before: AddFile
  readonly after: AddFile
}

/** Rows of a file: those deleted by `minus`'s vector, without those of `from`'s. */
export interface RowsOfFile {
  readonly minus: AddFile
  readonly from: AddFile
}

/** The rows that a change deleted. */
export function deletedRows({ before, after }: VectorChange): RowsOfFile {
  return { minus: after, from: before }
}

/** The rows that a change brought back. */
export function restoredRows({ before, after }: VectorChange): RowsOfFile {
  return { minus: before, from: after }
}

/** The rows, as text for FROM; none where there are none. */
export async function rowsOfFiles(
  table: TableAccess,
  snapshot: Snapshot,
  rows: readonly RowsOfFile[],
): Promise<string[]> {
  const found: { readonly file: AddFile; readonly indexes: readonly number[] }[] = []
  for (const { minus, from } of rows) {
    const indexes = await difference(table.storage, minus, from)
    if (indexes.length > 0) found.push({ file: { ...minus, deletionVector: null }, indexes })
  }
  if (found.length === 0) return []
  const { engine, storage } = table
  const scan = await openScan(storage, snapshot, { files: found.map(({ file }) => file), withPosition: true })
  const values = found.map(
    ({ indexes }, i) => `(${engine.quoteText(scan.files[i]?.localPath ?? '')}, '[${indexes.join(',')}]')`,
  )
  const wanted = `SELECT __delta_path, unnest(CAST(__delta_list AS BIGINT[])) AS __delta_index FROM (VALUES ${values.join(', ')}) AS __delta_lists(__delta_path, __delta_list)`
  return [
    `(SELECT * EXCLUDE (${SCAN_FILE}, ${SCAN_ROW}) FROM ${await engine.relation(scan)} SEMI JOIN (${wanted}) AS __delta_rows ON ${SCAN_FILE} = __delta_path AND ${SCAN_ROW} = __delta_index)`,
  ]
}

async function difference(storage: Storage, minus: AddFile, from: AddFile): Promise<number[]> {
  const known = new Set(await vectorOf(storage, from))
  return [...(await vectorOf(storage, minus))].filter((row) => !known.has(row))
}

async function vectorOf(storage: Storage, { deletionVector }: AddFile): Promise<Iterable<number>> {
  return deletionVector ? readDeletionVector(storage, deletionVector) : []
}
