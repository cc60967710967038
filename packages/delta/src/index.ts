export type {
  Action,
  AddFile,
  CommitInfo,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
  SetTransaction,
} from './actions.ts'
export type { AppendOptions, OverwriteOptions } from './append-rows.ts'
export type { ChangeRange } from './changes.ts'
export type { CommitOutcome, CommitRequest } from './commit.ts'
export type { ConflictReason, IsolationLevel } from './conflict.ts'
export type { DeletionVectorDescriptor } from './deletion-vector.ts'
export {
  type CreateOptions,
  DeltaTable,
  type ReadOptions,
  type Relation,
  type TableOptions,
  type When,
} from './delta-table.ts'
export { DELTA_ERRORS, DeltaError, type DeltaErrorCode } from './errors.ts'
export type { Filter, FilterValue } from './filter.ts'
export type { HistoryEntry } from './history.ts'
export { LocalStorage } from './local-storage.ts'
export type { Merge } from './merge-rows.ts'
export type { OptimizeOptions } from './optimize.ts'
export type { DataFile, ParquetEngine, WriteTarget } from './parquet-engine.ts'
export type { Scan, ScanFile } from './scan.ts'
export {
  type ArrayType,
  column,
  type DataType,
  type MapType,
  type PrimitiveType,
  parseSchema,
  type StructField,
  type StructType,
} from './schema.ts'
export { fileKey, type Snapshot } from './snapshot.ts'
export { liveRowCount } from './statistics.ts'
export type { Storage, StoredFile } from './storage.ts'
export { isTemporary, temporaryName } from './temporary-files.ts'
export type { OperationResult } from './transact.ts'
export type { VacuumOptions } from './vacuum.ts'
