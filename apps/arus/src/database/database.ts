import type { Generated, Kysely } from 'kysely'

/** Tables, as Kysely needs to know them. JSON stands in text columns; times are UTC milliseconds. */
export interface DatabaseSchema {
  readonly models: ModelTable
  readonly model_promotions: PromotionTable
  readonly api_keys: ApiKeyTable
  readonly erasures: ErasureTable
  readonly rules: RuleTable
  readonly rule_book: RuleBookTable
  readonly experiments: ExperimentTable
}

export interface ModelTable {
  readonly version: Generated<number>
  readonly kind: string
  readonly status: string
  readonly details: string
  readonly sha256: string
  readonly size_bytes: number
  readonly trained_at: number
  readonly promoted_at: number | null
  readonly reason: string
}

export interface PromotionTable {
  readonly id: Generated<number>
  readonly version: number
  readonly at: number
  readonly reason: string
}

export interface ApiKeyTable {
  readonly id: string
  readonly kind: string
  readonly name: string
  /** Of the key's whole text, hexadecimal. */
  readonly sha256: string
  readonly origins: string
  readonly rate_limit_per_minute: number | null
  readonly created_at: number
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

export interface ErasureTable {
  readonly id: Generated<number>
  /** SHA-256 of each name of the shopper that may sign in again, hexadecimal, JSON. */
  readonly hashes: string
  /** Who it is and what was found of them, JSON; null once it is done. */
  readonly work: string | null
  readonly requested_at: number
  readonly finished_at: number | null
  /** Intake of their oldest event; null until it is known, or where there was none. */
  readonly first_event_at: number | null
  /** How far the work is, JSON. */
  readonly progress: string | null
  /** Why the last try failed. */
  readonly failure: string | null
  readonly report: string | null
}

export interface RuleTable {
  readonly id: string
  readonly from_revision: number
  /** Null while it stands. */
  readonly until_revision: number | null
  /** JSON. */
  readonly definition: string
}

/** One row. */
export interface RuleBookTable {
  readonly revision: number
  /** Rules as they were before this one are no longer known whole. */
  readonly oldest_revision: number
}

export interface ExperimentTable {
  readonly id: string
  readonly name: string
  readonly status: string
  /** What was decided, JSON. */
  readonly plan: string
  readonly created_at: number
  readonly started_at: number | null
  readonly stopped_at: number | null
  readonly stop_reason: string | null
  /** JSON. */
  readonly verdict: string | null
}

/**
 * The shop's database, whichever it is. Of transactions that write, one is under way at a time, over all processes, so what
 * one reads stands until it has written. Those that only read and must see one moment say so: `SNAPSHOT`.
 */
export type ArusDatabase = Kysely<DatabaseSchema>

/** Settings of a transaction that only reads: it waits for nobody, and all it reads is of one moment. */
export const SNAPSHOT = { accessMode: 'read only', isolationLevel: 'repeatable read' } as const
