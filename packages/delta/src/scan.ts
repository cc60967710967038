import type { AddFile, PartitionValues } from './actions.ts'
import { type ColumnMappingMode, columnMappingMode } from './column-mapping.ts'
import { readDeletionVector } from './deletion-vector.ts'
import { unsupported } from './errors.ts'
import { type Filter, fileFilter } from './filter.ts'
import { storagePath } from './log-paths.ts'
import { type PartitionColumn, partitionColumnsOf } from './partition-values.ts'
import type { StructType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'

/** A data file ready to be read. */
export interface ScanFile {
  readonly localPath: string
  /** As the storage knows it: relative to the root, or an absolute URI. */
  readonly path: string
  readonly partitionValues: PartitionValues
  /** Indexes of rows to leave out, ascending; null when none are. */
  readonly deletedRows: Float64Array | null
  /** True when the log has statistics of it. */
  readonly hasStatistics: boolean
  /** About how many rows it has, for the planning of queries; null when its statistics do not say. */
  readonly rowCountEstimate: number | null
}

/** What an engine needs to read rows of a table: a plain value, every file of it on this machine's disk. */
export interface Scan {
  readonly schema: StructType
  readonly columnMapping: ColumnMappingMode
  readonly partitionColumns: readonly PartitionColumn[]
  readonly files: readonly ScanFile[]
  /** Also give where each row is: columns `SCAN_FILE` (local path) and `SCAN_ROW` (index in the file). */
  readonly withPosition: boolean
}

export const SCAN_FILE = '__delta_file'
export const SCAN_ROW = '__delta_row'

const VECTORS_AT_ONCE = 16

/** Files of the snapshot that may hold rows which satisfy all filters. */
export function filesToScan(snapshot: Snapshot, filters: readonly Filter[] = []): AddFile[] {
  const files = [...snapshot.files.values()]
  return filters.length === 0 ? files : files.filter(fileFilter(snapshot, filters))
}

/** Brings files of a snapshot to this machine's disk, and reads their deletion vectors. */
export async function openScan(
  storage: Storage,
  snapshot: Snapshot,
  options: { readonly files: readonly AddFile[]; readonly withPosition?: boolean },
): Promise<Scan> {
  if (options.withPosition) assertNoPositionColumns(snapshot)
  const paths = options.files.map((file) => storagePath(file.path))
  await storage.ensureLocal(paths)
  const deleted = await deletedRows(storage, options.files)
  return {
    schema: snapshot.schema,
    columnMapping: columnMappingMode(snapshot.metadata),
    partitionColumns: partitionColumnsOf(snapshot),
    withPosition: options.withPosition ?? false,
    files: options.files.map((file, i) => ({
      localPath: storage.localPath(paths[i] ?? ''),
      path: paths[i] ?? '',
      partitionValues: file.partitionValues,
      deletedRows: deleted.get(file) ?? null,
      hasStatistics: Boolean(file.stats),
      rowCountEstimate: rowCountEstimate(file),
    })),
  }
}

/** Without parsing the statistics of each file, which takes longer than planning with them. Larger numbers are no row counts. */
function rowCountEstimate({ stats }: AddFile): number | null {
  const [, digits] = /"numRecords"\s*:\s*(\d{1,12})(?!\d)/.exec(stats ?? '') ?? []
  return digits === undefined ? null : Number(digits)
}

function assertNoPositionColumns(snapshot: Snapshot): void {
  const taken = snapshot.schema.fields.find(({ name }) => [SCAN_FILE, SCAN_ROW].includes(name.toLowerCase()))
  if (taken) throw unsupported(`a column named ${taken.name}, which is the name of a row's position here`)
}

async function deletedRows(storage: Storage, files: readonly AddFile[]): Promise<Map<AddFile, Float64Array>> {
  const withVector = files.filter((file) => file.deletionVector)
  const found = new Map<AddFile, Float64Array>()
  for (let i = 0; i < withVector.length; i += VECTORS_AT_ONCE) {
    const group = withVector.slice(i, i + VECTORS_AT_ONCE)
    await Promise.all(
      group.map(async (file) => {
        if (file.deletionVector) found.set(file, await readDeletionVector(storage, file.deletionVector))
      }),
    )
  }
  return found
}
