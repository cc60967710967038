import type { ErrorCode } from '../../errors.ts'

/** One way to try what SQL must not do. */
export interface Attack {
  /** What is tried, as the list in docs/SQL.md groups it. */
  readonly kind: AttackKind
  /**
   * The text. `{secret}` is a CSV file outside the lake, `{other}` a Parquet file of another shop, `{lake}` the lake's
   * folder, `{link}` a link in the lake to the secret, `{part}` a file of a table that the query does not name.
   */
  readonly sql: string | (() => string)
  /** How the list shows a text that is made. */
  readonly shown?: string
  readonly params?: readonly (string | number)[]
  /** Outcomes that are clean; `answer` is one that shows nothing it should not. */
  readonly outcomes: readonly (ErrorCode | 'answer')[]
}

export type AttackKind =
  | 'read a file'
  | 'write a file'
  | 'attach a database'
  | 'reach the network'
  | 'load code'
  | 'change settings'
  | 'change data'
  | 'run other statements'
  | 'look at the engine'
  | 'hide by quoting'
  | 'travel out of the lake'
  | 'run for ever'
  | 'fill the memory'
  | 'fill the disk'
  | 'overload the parser'

const REFUSED = ['QUERY_INVALID'] as const
const UNKNOWN = ['TABLE_UNKNOWN'] as const
/** Stopped by a bound: which one comes first depends on the machine. */
export const BOUND = ['QUERY_TOO_EXPENSIVE', 'QUERY_TIMEOUT'] as const

/** Texts that must be refused. */
export function refused(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({
    kind,
    sql,
    outcomes: REFUSED,
    ...(sql.includes('$1') ? { params: ['x'] } : {}),
  }))
}

/** Texts whose tables must not be known. */
export function unknown(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({ kind, sql, outcomes: UNKNOWN }))
}

/** Texts that must be stopped by a bound. */
export function bound(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({ kind, sql, outcomes: BOUND }))
}

/** A text that is made, refused or stopped. */
export function made(kind: AttackKind, shown: string, sql: () => string): Attack {
  return { kind, shown, sql, outcomes: ['QUERY_INVALID', ...BOUND] }
}
