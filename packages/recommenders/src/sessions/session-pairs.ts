import type { FitSignal } from '../model.ts'
import type { SparseMatrix } from '../sparse-matrix.ts'
import { TopK } from '../top-k.ts'
import type { OrderedSessions } from './session-events.ts'

/** How pairs of events of one session add up to the score of an item after another. */
export interface PairWeighting {
  /** Places that two events may be apart. */
  readonly steps: number
  /** Weight of an event so many places after the item, at index `distance − 1`. */
  readonly after: Float32Array
  /** The same before the item; none: such events do not count. */
  readonly before?: Float32Array
  /** Factor of all pairs of a session. */
  readonly sessionFactor: (session: number) => number
  /** Factor of a pair's sum. */
  readonly pairFactor: (item: number, other: number) => number
  readonly neighbourCount: number
}

const PROGRESS_STEP = 512

/** Item × item, the best `neighbourCount` of each row. Cost: events × steps. An item may be its own neighbour, seen twice in a session. */
export function sessionPairs(
  sessions: OrderedSessions,
  weighting: PairWeighting,
  signal: FitSignal = {},
): SparseMatrix {
  const { itemCount, starts, items, weights } = sessions
  const { steps, after, before, neighbourCount } = weighting
  const { eventStarts, events } = eventsByItem(items, itemCount)
  const sessionOf = sessionOfEvent(starts, items.length)
  const factors = Float64Array.from(sessions.endsMs, (_, session) => weighting.sessionFactor(session))
  const scores = new Float64Array(itemCount)
  const touched = new Uint32Array(itemCount)
  const rowStarts = new Uint32Array(itemCount + 1)
  const rows: { items: Uint32Array; scores: Float32Array }[] = []
  let touchedCount = 0
  const add = (other: number, weight: number): void => {
    if (!(weight > 0)) return
    if (scores[other] === 0) touched[touchedCount++] = other
    scores[other]! += weight
  }
  for (let item = 0; item < itemCount; item++) {
    if (item % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(item / itemCount)
    }
    touchedCount = 0
    for (let n = eventStarts[item]!; n < eventStarts[item + 1]!; n++) {
      const event = events[n]!
      const session = sessionOf[event]!
      const last = Math.min(starts[session + 1]! - 1, event + steps)
      for (let at = event + 1; at <= last; at++)
        add(items[at]!, after[at - event - 1]! * factors[session]! * weights[at]!)
      if (before === undefined) continue
      const first = Math.max(starts[session]!, event - steps)
      for (let at = event - 1; at >= first; at--)
        add(items[at]!, before[event - at - 1]! * factors[session]! * weights[at]!)
    }
    const top = new TopK(Math.min(neighbourCount, touchedCount))
    for (let n = 0; n < touchedCount; n++) {
      const other = touched[n]!
      top.offer(other, scores[other]! * weighting.pairFactor(item, other))
      scores[other] = 0
    }
    const row = top.result()
    rows.push(row)
    rowStarts[item + 1] = rowStarts[item]! + row.items.length
  }
  signal.onProgress?.(1)
  return matrixOf(rowStarts, rows)
}

/** In how many sessions each item is. */
export function sessionCounts({ itemCount, starts, items }: OrderedSessions): Uint32Array {
  const counts = new Uint32Array(itemCount)
  /** Session + 1 that counted the item last. */
  const counted = new Uint32Array(itemCount)
  for (let session = 0; session + 1 < starts.length; session++) {
    for (let n = starts[session]!; n < starts[session + 1]!; n++) {
      if (counted[items[n]!] === session + 1) continue
      counted[items[n]!] = session + 1
      counts[items[n]!]! += 1
    }
  }
  return counts
}

function matrixOf(
  starts: Uint32Array,
  rows: readonly { readonly items: Uint32Array; readonly scores: Float32Array }[],
): SparseMatrix {
  const columns = new Uint32Array(starts[rows.length]!)
  const values = new Float32Array(columns.length)
  for (const [item, row] of rows.entries()) {
    columns.set(row.items, starts[item])
    values.set(row.scores, starts[item])
  }
  return { rowCount: rows.length, columnCount: rows.length, starts, columns, values }
}

function eventsByItem(items: Uint32Array, itemCount: number) {
  const eventStarts = new Uint32Array(itemCount + 1)
  for (let n = 0; n < items.length; n++) eventStarts[items[n]! + 1]! += 1
  for (let item = 0; item < itemCount; item++) eventStarts[item + 1]! += eventStarts[item]!
  const next = eventStarts.slice()
  const events = new Uint32Array(items.length)
  for (let n = 0; n < items.length; n++) events[next[items[n]!]!++] = n
  return { eventStarts, events }
}

function sessionOfEvent(starts: Uint32Array, eventCount: number): Uint32Array {
  const sessions = new Uint32Array(eventCount)
  for (let session = 0; session + 1 < starts.length; session++)
    sessions.fill(session, starts[session], starts[session + 1])
  return sessions
}
