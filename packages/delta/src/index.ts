export type {
  Action,
  AddFile,
  CommitInfo,
  Metadata,
  Protocol,
  RemoveFile,
  SetTransaction,
} from './actions.ts'
export {
  type CommitOutcome,
  type CommitRequest,
  type CreateOptions,
  type DataFile,
  DeltaTable,
  type HistoryEntry,
  type TableOptions,
} from './delta-table.ts'
export { DELTA_ERRORS, DeltaError, type DeltaErrorCode } from './errors.ts'
export { LocalStorage } from './local-storage.ts'
export type { ParquetEngine } from './parquet-engine.ts'
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
export type { Snapshot } from './snapshot.ts'
export type { Storage, StoredFile } from './storage.ts'
export { isTemporary, temporaryName } from './temporary-files.ts'
