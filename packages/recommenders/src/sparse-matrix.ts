import { doesCount, WEIGHT_MAX } from './confidence.ts'
import { RecommenderError } from './errors.ts'
import type { Interactions } from './model.ts'

/** Rows of (column, value) pairs, columns in ascending order: compressed sparse rows. */
export interface SparseMatrix {
  readonly rowCount: number
  readonly columnCount: number
  /** `rowCount + 1` places where rows begin. */
  readonly starts: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float32Array
}

/** A pair that weighs less is as good as not there; products of what is left stay far from 0 in float32. */
const WEIGHT_MIN = 1e-6

/**
 * User × item; weights of repeated pairs are summed, and pairs whose sum is not above 0 are left out. Throws
 * `MODEL_INPUT_INVALID` for what is not as `Interactions` says.
 */
export function userItemMatrix(interactions: Interactions): SparseMatrix {
  assertInteractions(interactions)
  const { userCount, itemCount, users, items, weights } = interactions
  const starts = startsOf(users, userCount)
  const columns = new Uint32Array(items.length)
  const values = new Float32Array(items.length)
  const next = starts.slice()
  for (let n = 0; n < items.length; n++) {
    const at = next[users[n]!]!++
    columns[at] = items[n]!
    values[at] = weights[n]!
  }
  const matrix = { rowCount: userCount, columnCount: itemCount, starts, columns, values }
  // Transposed twice, rows are in order of their columns: a counting sort, which keeps the order of pairs that are repeated.
  return withSummedDuplicates(transpose(transpose(matrix)))
}

/** True for matrices of the same size with the same entries. */
export function isSameMatrix(a: SparseMatrix, b: SparseMatrix): boolean {
  if (a === b) return true
  return (
    a.columnCount === b.columnCount &&
    isSameArray(a.starts, b.starts) &&
    isSameArray(a.columns, b.columns) &&
    isSameArray(a.values, b.values)
  )
}

function isSameArray(a: Uint32Array | Float32Array, b: Uint32Array | Float32Array): boolean {
  return a.length === b.length && a.every((value, n) => value === b[n])
}

/** Column × row. */
export function transpose(matrix: SparseMatrix): SparseMatrix {
  const { rowCount, columnCount, starts, columns, values } = matrix
  const transposedStarts = startsOf(columns, columnCount)
  const next = transposedStarts.slice()
  const rows = new Uint32Array(columns.length)
  const transposedValues = new Float32Array(columns.length)
  for (let row = 0; row < rowCount; row++) {
    for (let n = starts[row]!; n < starts[row + 1]!; n++) {
      const at = next[columns[n]!]!++
      rows[at] = row
      transposedValues[at] = values[n]!
    }
  }
  return {
    rowCount: columnCount,
    columnCount: rowCount,
    starts: transposedStarts,
    columns: rows,
    values: transposedValues,
  }
}

/** Entries of each row, 1 where there are none. */
export function degreesOf({ rowCount, starts }: SparseMatrix): Float32Array {
  return Float32Array.from({ length: rowCount }, (_, row) => Math.max(1, starts[row + 1]! - starts[row]!))
}

function startsOf(rows: Uint32Array, rowCount: number): Uint32Array {
  const starts = new Uint32Array(rowCount + 1)
  for (let n = 0; n < rows.length; n++) starts[rows[n]! + 1]! += 1
  for (let row = 0; row < rowCount; row++) starts[row + 1]! += starts[row]!
  return starts
}

/** Of rows in order of their columns. */
function withSummedDuplicates(matrix: SparseMatrix): SparseMatrix {
  const { rowCount, columnCount, starts, columns, values } = matrix
  const newStarts = new Uint32Array(rowCount + 1)
  let write = 0
  for (let row = 0; row < rowCount; row++) {
    newStarts[row] = write
    for (let n = starts[row]!; n < starts[row + 1]!; ) {
      const column = columns[n]!
      columns[write] = column
      values[write] = values[n++]!
      while (n < starts[row + 1]! && columns[n] === column) values[write]! += values[n++]!
      if (values[write]! >= WEIGHT_MIN) write += 1
    }
  }
  newStarts[rowCount] = write
  return {
    rowCount,
    columnCount,
    starts: newStarts,
    columns: columns.slice(0, write),
    values: values.slice(0, write),
  }
}

function assertInteractions({ userCount, itemCount, users, items, weights, timesMs }: Interactions): void {
  const count = users.length
  if (items.length !== count || weights.length !== count || timesMs.length !== count) {
    throw invalid(
      `the four arrays must have one length, found ${count}, ${items.length}, ${weights.length}, ${timesMs.length}`,
    )
  }
  for (let n = 0; n < count; n++) {
    if (users[n]! >= userCount) throw invalid(`user ${users[n]} at ${n} is not below ${userCount}`)
    if (items[n]! >= itemCount) throw invalid(`item ${items[n]} at ${n} is not below ${itemCount}`)
    if (!doesCount(weights[n]!))
      throw invalid(`weight ${weights[n]} at ${n} is not a number from -${WEIGHT_MAX} to ${WEIGHT_MAX}`)
    if (!Number.isFinite(timesMs[n]!)) throw invalid(`time ${timesMs[n]} at ${n} is not a number`)
  }
}

function invalid(what: string): RecommenderError {
  return new RecommenderError('MODEL_INPUT_INVALID', `Interactions: ${what}`)
}
