/** What the server and a sandbox process say to each other. */
import type { ErrorCode } from '../../errors.ts'
import type { SqlColumn, SqlFormat, SqlParams } from '../lake-sql.ts'

/** First message to the process: its bounds, for all its life. */
export interface SandboxSetup {
  readonly kind: 'setup'
  /** A folder of its own, for spilling and for a result file; removed by the server when the process is gone. */
  readonly folder: string
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly threadCount: number
}

/** Asks what a text reads, without reading anything. */
export interface PlanRequest {
  readonly kind: 'plan'
  readonly sql: string
  readonly params: SqlParams
}

/** A table of the plan, pinned: FROM text over local files, and those files. */
export interface PinnedRelation {
  readonly sql: string
  readonly files: readonly string[]
}

/** Runs the text planned last. */
export interface RunRequest {
  readonly kind: 'run'
  /** In the order of the plan's tables. */
  readonly relations: readonly PinnedRelation[]
  readonly format: SqlFormat
  readonly rowLimit: number
  /** Bytes of the result; more is a failure. */
  readonly byteLimit: number
  /** Rows to skip; only where the plan can be paged. */
  readonly offset: number
}

export type SandboxRequest = SandboxSetup | PlanRequest | RunRequest

/** A table a text reads, and when. */
export interface TableUse {
  /** As written, in lower case: `silver.events`. */
  readonly name: string
  readonly at: TableMoment | null
}

export type TableMoment = { readonly version: number } | { readonly timestamp: string }

/** What a text reads and promises. */
export interface SqlPlan {
  readonly tables: readonly TableUse[]
  /** Its rows have an order, in which ties are broken, and a LIMIT of plain numbers if any: pages can follow one another. */
  readonly canBePaged: boolean
  /** Calls that may give something else the next time. */
  readonly unrepeatable: readonly string[]
}

/** What is known of a result before its first byte. */
export interface ResultHead {
  readonly columns: readonly SqlColumn[]
  readonly rowCount: number
  /** More rows exist than are given. */
  readonly isTruncated: boolean
}

export type SandboxMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'planned'; readonly plan: SqlPlan }
  | ({ readonly kind: 'head' } & ResultHead)
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
