import type { LogBatch } from '@arus/event-log'
import { ArusError } from '../errors.ts'

/** Tries an entry gets by itself before it is rejected. */
const TRIES = 3
const BACKOFF_MAX_MS = 30_000

/** What to do after work on entries failed. */
export type Verdict =
  /** Do the same again. */
  | { readonly kind: 'again' }
  /** The entry that stands alone is at fault. */
  | { readonly kind: 'reject' }

/**
 * Finds the entry that makes work fail: after each failure that is not the store's, only those before it are taken, or
 * half as many where it is not known, until it stands alone; then it gets three tries. Afterwards the number grows back.
 */
export class PoisonWatch {
  readonly #limitMax: number
  #limit: number
  #tries = 0

  constructor(limitMax: number) {
    this.#limitMax = limitMax
    this.#limit = limitMax
  }

  /** Entries to take at a time. */
  get limit(): number {
    return this.#limit
  }

  /** Some work failed lately; what is taken now should stand by itself. */
  get isSearching(): boolean {
    return this.#limit < this.#limitMax
  }

  succeeded(): void {
    this.#tries = 0
    this.#limit = Math.min(this.#limitMax, this.#limit * 2)
  }

  /** Work on `count` entries failed, through no fault of the store; `at` is the place of the one at fault, if known. */
  failed(count: number, at: number | null): Verdict {
    if (count > 1) {
      this.#limit = at === null ? Math.ceil(count / 2) : Math.max(1, at)
      return { kind: 'again' }
    }
    this.#limit = 1
    this.#tries += 1
    if (this.#tries < TRIES) return { kind: 'again' }
    this.#tries = 0
    return { kind: 'reject' }
  }
}

/** Among some entries is one that decodes, but whose effects could not be computed or can never be stored. */
export class UnusableEntries extends Error {
  readonly parts: readonly LogBatch[]
  /** How many there are. */
  readonly count: number
  /** Place of the one among them, where it is known. */
  readonly at: number | null

  /** `offset` is that of the one, where it is known. */
  constructor(cause: unknown, parts: readonly LogBatch[], offset: number | null) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'UnusableEntries'
    this.parts = parts
    this.count = entryCountOf(parts)
    const at = parts.flatMap(({ entries }) => entries).findIndex((entry) => entry.offset === offset)
    this.at = at < 0 ? null : at
  }
}

/** Entries in all of the batches. */
export function entryCountOf(batches: readonly LogBatch[]): number {
  return batches.reduce((count, { entries }) => count + entries.length, 0)
}

/** True for what no other try will store; anything else that goes wrong while storing may pass. */
export function isUnstorable(error: unknown): boolean {
  return error instanceof ArusError && error.code === 'STATE_UNSTORABLE'
}

/** Wait before the so-many-th try in a row, from 1: doubled each time, 30 s at most. */
export function backoffMs(attempt: number, firstMs: number): number {
  return Math.min(BACKOFF_MAX_MS, firstMs * 2 ** Math.min(attempt - 1, 20))
}
