import type { Interactions, UserItems } from './model.ts'
import { type SparseMatrix, userItemMatrix } from './sparse-matrix.ts'

/**
 * User × item with each row newest first, as `UserItems` are: the place in the row is the item's age in items. Weights of
 * repeated pairs are summed, the newest one places them; what happened at the same time is in the order given, later
 * being newer. Throws what `userItemMatrix` throws.
 */
export function userTimelines(interactions: Interactions): SparseMatrix {
  const matrix = userItemMatrix(interactions)
  const { starts, columns, values } = matrix
  const newest = newestPlaces(interactions, matrix)
  for (let row = 0; row < matrix.rowCount; row++) {
    const from = starts[row]!
    const order = Array.from({ length: starts[row + 1]! - from }, (_, n) => from + n).sort(
      (a, b) => newest[b]! - newest[a]!,
    )
    const [items, weights] = [order.map((at) => columns[at]!), order.map((at) => values[at]!)]
    columns.set(items, from)
    values.set(weights, from)
  }
  return matrix
}

/** For each entry of the matrix, the place in the order of time of its newest interaction. */
function newestPlaces({ users, items, timesMs }: Interactions, matrix: SparseMatrix): Uint32Array {
  const { rowCount, columnCount, starts, columns } = matrix
  const order = Uint32Array.from(users, (_, n) => n)
  if (timesMs.some((time) => time !== timesMs[0])) order.sort((a, b) => timesMs[a]! - timesMs[b]! || a - b)
  const byUser = new Uint32Array(rowCount + 1)
  for (const user of users) byUser[user + 1]! += 1
  for (let user = 0; user < rowCount; user++) byUser[user + 1]! += byUser[user]!
  const next = byUser.slice()
  const sorted = new Uint32Array(users.length)
  for (const n of order) sorted[next[users[n]!]!++] = n
  const placeOf = new Uint32Array(columnCount)
  const newest = new Uint32Array(columns.length)
  for (let user = 0; user < rowCount; user++) {
    for (let at = byUser[user]!; at < byUser[user + 1]!; at++) placeOf[items[sorted[at]!]!] = at
    for (let at = starts[user]!; at < starts[user + 1]!; at++) newest[at] = placeOf[columns[at]!]!
  }
  return newest
}

/** Row `row` of `userTimelines`. */
export function timelineOf({ starts, columns, values }: SparseMatrix, row: number): UserItems {
  return {
    items: columns.subarray(starts[row], starts[row + 1]),
    weights: values.subarray(starts[row], starts[row + 1]),
  }
}
