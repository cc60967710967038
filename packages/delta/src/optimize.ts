import type { AddFile } from './actions.ts'
import { DeltaError } from './errors.ts'
import { type Filter, isPartitionFilter } from './filter.ts'
import type { DataFile } from './parquet-engine.ts'
import { byPartition, partitionColumnsOf } from './partition-values.ts'
import { filesToScan } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import {
  columnList,
  type OperationResult,
  relationWithPosition,
  type TableAccess,
  transact,
  writeRows,
} from './transact.ts'

export interface OptimizeOptions {
  /** Only partitions that satisfy these. */
  readonly where?: readonly Filter[]
  /** Files at least this large are left alone, and files of about this size made; default 128 MiB. */
  readonly targetBytes?: number
  /** A partition with fewer small files is left alone; default 2. */
  readonly minFiles?: number
  /** Cluster rows by these columns: SQL expressions for ORDER BY. All files are rewritten then, large ones too. */
  readonly sortBy?: readonly string[]
}

const TARGET_BYTES = 128 * 1024 * 1024

/** Puts small files together, partition by partition, rows unchanged; deleted rows go from files that had any. */
export function optimizeTable(table: TableAccess, options: OptimizeOptions = {}): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const bins = binsOf(snapshot, options)
    if (bins.length === 0) return null
    const add: DataFile[] = []
    const order = options.sortBy ? ` ORDER BY ${options.sortBy.join(', ')}` : ''
    for (const bin of bins) {
      const { sql } = await relationWithPosition(table, snapshot, bin)
      add.push(
        ...(await writeRows(table, snapshot, `SELECT ${columnList(table, snapshot)} FROM ${sql}${order}`)),
      )
    }
    const remove = bins.flat()
    return {
      add,
      remove,
      readVersion: snapshot.version,
      reads: { files: remove, wouldRead: () => false },
      isRearrangement: true,
      operation: 'OPTIMIZE',
      operationParameters: { predicate: '[]', zOrderBy: JSON.stringify(options.sortBy ?? []) },
      operationMetrics: {
        numAddedFiles: add.length,
        numRemovedFiles: remove.length,
        numAddedBytes: add.reduce((sum, file) => sum + file.sizeBytes, 0),
        numRemovedBytes: remove.reduce((sum, file) => sum + file.size, 0),
      },
    }
  })
}

/** Files to be written as one, or, sorted, as few: of one partition each, in the order of their paths. Pure. */
export function binsOf(snapshot: Snapshot, options: OptimizeOptions): AddFile[][] {
  const { where = [], targetBytes = TARGET_BYTES, minFiles = 2, sortBy } = options
  if (!isPartitionFilter(snapshot, where)) {
    throw new DeltaError('DELTA_VALUE_INVALID', 'Files are chosen for optimize by partition columns only')
  }
  const isCandidate = (file: AddFile) =>
    sortBy !== undefined || file.size < targetBytes || file.deletionVector
  const partitions = byPartition(
    filesToScan(snapshot, where).filter(isCandidate),
    partitionColumnsOf(snapshot),
  )
  return partitions.flatMap((files) => {
    const bins = packed(files, targetBytes)
    return bins.filter(
      (bin) => bin.length >= minFiles || sortBy !== undefined || bin.some((file) => file.deletionVector),
    )
  })
}

/** First fit in order: neighbours stay neighbours, which keeps what order the rows had. */
function packed(files: readonly AddFile[], targetBytes: number): AddFile[][] {
  const bins: AddFile[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    if (sizeBytes + file.size > targetBytes) {
      bins.push([])
      sizeBytes = 0
    }
    bins.at(-1)?.push(file)
    sizeBytes += file.size
  }
  return bins
}
