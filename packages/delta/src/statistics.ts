import type { AddFile } from './actions.ts'

/** A file's `stats`: bounds and null counts by physical column name. Protocol, "Per-file Statistics". */
export interface FileStatistics {
  readonly numRecords?: number | null
  readonly minValues?: Readonly<Record<string, unknown>> | null
  readonly maxValues?: Readonly<Record<string, unknown>> | null
  readonly nullCount?: Readonly<Record<string, unknown>> | null
}

/** The statistics of a file; empty when it has none or they cannot be read, since they are only hints. */
export function parseStatistics(file: Pick<AddFile, 'stats'>): FileStatistics {
  if (!file.stats) return {}
  try {
    const value: unknown = LONG_INTEGER.test(file.stats)
      ? JSON.parse(file.stats, withAllDigits)
      : JSON.parse(file.stats)
    return typeof value === 'object' && value !== null ? (value as FileStatistics) : {}
  } catch {
    return {}
  }
}

/** Digits that may be a number beyond 2^53, or stand in a text: looking closer would cost more than it saves. */
const LONG_INTEGER = /9\d{15}|\d{17}/

/** Integers that a JavaScript number cannot hold come as text. */
function withAllDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isInexact = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER
  return isInexact && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value
}

/** Rows of a file that are not deleted; null when its statistics do not say. */
export function liveRowCount(file: AddFile): number | null {
  const { numRecords } = parseStatistics(file)
  if (typeof numRecords !== 'number') return null
  return numRecords - (file.deletionVector?.cardinality ?? 0)
}
