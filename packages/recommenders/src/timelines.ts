import type { Interactions, UserItems } from './model.ts'
import { type SparseMatrix, userItemMatrix } from './sparse-matrix.ts'

/** Of interactions that are still in use: a search fits dozens of models to the same ones. */
const known = new WeakMap<Interactions, SparseMatrix>()

/**
 * User × item with each row newest first, as `UserItems` are: the place in the row is the item's age in items. Weights of
 * repeated pairs are summed, the newest one places them; what happened at the same time is in the order given, later
 * being newer. Asked again of the same interactions it gives the same matrix, which is to be left as it is. Throws what `userItemMatrix` throws.
 */
export function userTimelines(interactions: Interactions): SparseMatrix {
  const timelines = known.get(interactions) ?? timelinesOf(interactions)
  known.set(interactions, timelines)
  return timelines
}

function timelinesOf(interactions: Interactions): SparseMatrix {
  const matrix = userItemMatrix(interactions)
  const { rowCount, columnCount, starts } = matrix
  const columns = new Uint32Array(matrix.columns.length)
  const values = new Float32Array(columns.length)
  const history = byUserAndTime(interactions)
  /** Where an item stands in the row, from 1; 0 of those that are not in it, or written already. */
  const placeOf = new Uint32Array(columnCount)
  let write = 0
  for (let row = 0; row < rowCount; row++) {
    for (let at = starts[row]!; at < starts[row + 1]!; at++) placeOf[matrix.columns[at]!] = at + 1
    for (let n = history.starts[row + 1]! - 1; n >= history.starts[row]!; n--) {
      const item = history.items[n]!
      const place = placeOf[item]!
      if (place === 0) continue
      columns[write] = item
      values[write++] = matrix.values[place - 1]!
      placeOf[item] = 0
    }
  }
  return { ...matrix, columns, values }
}

/** Items of each user, oldest first, and where each user's begin. */
function byUserAndTime({ users, items, timesMs, userCount }: Interactions): {
  readonly starts: Uint32Array
  readonly items: Uint32Array
} {
  const order = Uint32Array.from(users, (_, n) => n)
  if (timesMs.some((time, n) => time < timesMs[n - 1]!))
    order.sort((a, b) => timesMs[a]! - timesMs[b]! || a - b)
  const starts = new Uint32Array(userCount + 1)
  for (const user of users) starts[user + 1]! += 1
  for (let user = 0; user < userCount; user++) starts[user + 1]! += starts[user]!
  const next = starts.slice()
  const sorted = new Uint32Array(users.length)
  for (const n of order) sorted[next[users[n]!]!++] = items[n]!
  return { starts, items: sorted }
}

/** Row `row` of `userTimelines`. */
export function timelineOf({ starts, columns, values }: SparseMatrix, row: number): UserItems {
  return {
    items: columns.subarray(starts[row], starts[row + 1]),
    weights: values.subarray(starts[row], starts[row + 1]),
  }
}
