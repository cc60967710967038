import type { FitSignal } from '../model.ts'
import type { ModelFile, Section } from '../model-file.ts'
import type { OrderedSessions } from './session-events.ts'

const DAY_MS = 86_400_000
/** Places are kept in a byte. */
const SESSION_LENGTH_MAX = 256
const PROGRESS_STEP = 4_096

/**
 * Past sessions, and for each item the sessions it is in. Session 0 ended last, so a smaller number is a newer session, and
 * the lists of an item, which are in ascending order, have the newest first.
 */
export interface SessionIndex {
  readonly itemCount: number
  readonly sessionCount: number
  /** Where the entries of each session begin: its distinct items, in the order of their last place. */
  readonly starts: Uint32Array
  readonly items: Uint32Array
  /** Last place of the item in its session, from 0, the oldest of at most 256 events. */
  readonly places: Uint8Array
  /** Greatest weight of the item's events in the session. */
  readonly weights: Float32Array
  /** Days from the session's end to the end of the newest one. */
  readonly ageDays: Float32Array
  /** Where the sessions of each item begin in `itemSessions`. */
  readonly itemStarts: Uint32Array
  readonly itemSessions: Uint32Array
  /** ln(sessions / sessions with the item); 0 for an item in none. */
  readonly idf: Float32Array
}

/** Indexes sessions; of a session longer than 256 events the newest 256 are kept. O(events). */
export function indexSessions(sessions: OrderedSessions, signal: FitSignal = {}): SessionIndex {
  const { itemCount, endsMs } = sessions
  const sessionCount = endsMs.length
  const entries = distinctEntries(sessions, signal)
  const itemStarts = new Uint32Array(itemCount + 1)
  for (let n = 0; n < entries.items.length; n++) itemStarts[entries.items[n]! + 1]! += 1
  const idf = new Float32Array(itemCount)
  for (let item = 0; item < itemCount; item++) {
    const count = itemStarts[item + 1]!
    idf[item] = count === 0 ? 0 : Math.log(sessionCount / count)
    itemStarts[item + 1]! += itemStarts[item]!
  }
  const next = itemStarts.slice()
  const itemSessions = new Uint32Array(entries.items.length)
  for (let session = 0; session < sessionCount; session++)
    for (let n = entries.starts[session]!; n < entries.starts[session + 1]!; n++)
      itemSessions[next[entries.items[n]!]!++] = session
  return {
    itemCount,
    sessionCount,
    ...entries,
    ageDays: Float32Array.from(endsMs, (endMs) => (endsMs[0]! - endMs) / DAY_MS),
    itemStarts,
    itemSessions,
    idf,
  }
}

/** The same with at most the `sampleSize` newest sessions of each item, which is all a search of so many looks at. */
export function newestOfEachItem(index: SessionIndex, sampleSize: number): SessionIndex {
  const { itemStarts, itemSessions, itemCount } = index
  const starts = new Uint32Array(itemCount + 1)
  for (let item = 0; item < itemCount; item++)
    starts[item + 1] = starts[item]! + Math.min(sampleSize, itemStarts[item + 1]! - itemStarts[item]!)
  const sessions = new Uint32Array(starts[itemCount]!)
  for (let item = 0; item < itemCount; item++) {
    const from = itemStarts[item]!
    sessions.set(itemSessions.subarray(from, from + starts[item + 1]! - starts[item]!), starts[item])
  }
  return { ...index, itemStarts: starts, itemSessions: sessions }
}

/** The index's part of a model file. */
export function indexSections(index: SessionIndex): Record<string, Section> {
  const { starts, items, places, weights, ageDays, itemStarts, itemSessions, idf } = index
  return { starts, items, places, weights, ageDays, itemStarts, itemSessions, idf }
}

/** Views into a file that `indexSections` was written to. */
export function indexOfFile(file: ModelFile): SessionIndex {
  const starts = file.u32('starts')
  const itemStarts = file.u32('itemStarts')
  return {
    itemCount: itemStarts.length - 1,
    sessionCount: starts.length - 1,
    starts,
    items: file.u32('items'),
    places: file.u8('places'),
    weights: file.f32('weights'),
    ageDays: file.f32('ageDays'),
    itemStarts,
    itemSessions: file.u32('itemSessions'),
    idf: file.f32('idf'),
  }
}

function distinctEntries({ itemCount, starts, items, weights }: OrderedSessions, signal: FitSignal) {
  const sessionCount = starts.length - 1
  const newStarts = new Uint32Array(sessionCount + 1)
  const kept = new Uint32Array(items.length)
  const places = new Uint8Array(items.length)
  const keptWeights = new Float32Array(items.length)
  /** Greatest weight in the session at hand; 0 where the item was not met yet. */
  const seen = new Float32Array(itemCount)
  let count = 0
  for (let session = 0; session < sessionCount; session++) {
    if (session % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(session / sessionCount)
    }
    const end = starts[session + 1]!
    const from = Math.max(starts[session]!, end - SESSION_LENGTH_MAX)
    for (let n = from; n < end; n++) seen[items[n]!] = Math.max(seen[items[n]!]!, weights[n]!)
    // From the end, so that the last place of an item is the one that is met; written from the back for the same reason.
    let write = count + end - from
    for (let n = end - 1; n >= from; n--) {
      const item = items[n]!
      if (seen[item] === 0) continue
      write -= 1
      kept[write] = item
      places[write] = n - from
      keptWeights[write] = seen[item]!
      seen[item] = 0
    }
    const size = count + end - from - write
    for (const array of [kept, places, keptWeights]) array.copyWithin(count, write, write + size)
    count += size
    newStarts[session + 1] = count
  }
  signal.onProgress?.(1)
  return {
    starts: newStarts,
    items: kept.slice(0, count),
    places: places.slice(0, count),
    weights: keptWeights.slice(0, count),
  }
}
