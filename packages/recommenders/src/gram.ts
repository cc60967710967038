import { coOccurrence } from './co-occurrence.ts'
import type { FitSignal } from './model.ts'
import type { SparseMatrix } from './sparse-matrix.ts'

/** Entries kept of each row of XᵀX; those beyond were seen together by the fewest. */
const GRAM_ROW_MAX = 1_000

/** Rows of XᵀX without its diagonal, each with its largest 1,000 entries, the largest first. */
export function gramRows(byUser: SparseMatrix, signal: FitSignal): SparseMatrix {
  return coOccurrence(byUser, { neighbourCount: GRAM_ROW_MAX, pairScore: (sum) => sum }, signal)
}

/** The diagonal of XᵀX. */
export function squaresOf({ columnCount, columns, values }: SparseMatrix): Float32Array {
  const squares = new Float32Array(columnCount)
  for (let n = 0; n < columns.length; n++) squares[columns[n]!]! += values[n]! ** 2
  return squares
}
