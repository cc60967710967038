import type { Action } from './actions.ts'

/** What the library needs of a Parquet implementation, on files of this machine. */
export interface ParquetEngine {
  /** Writes a classic checkpoint (Protocol, "Checkpoint Schema"), one row per action; returns its size in bytes. */
  writeCheckpoint(localPath: string, actions: readonly Action[]): Promise<number>
  readCheckpoint(localPath: string): Promise<Action[]>
}
