import type { ShopEvent } from '../events/event.ts'
import type { HistoryItem } from './live-state.ts'

/** Where an event stands in the log. */
export interface LogPlace {
  readonly partition: number
  readonly offset: number
}

/**
 * Product interactions as stored, newest first by event time. They stay JSON text: an event in order costs one
 * concatenation, and a commit copies a text instead of packing hundreds of values.
 */
export type ItemList = readonly [text: string, count: number, newestTs: number]

type StoredItem = readonly [productId: string, action: string, ts: number, partition: number, offset: number]

export const NO_ITEMS: ItemList = ['', 0, Number.MIN_SAFE_INTEGER]

const AHEAD_MS = 86_400_000
/** Grown past its limit by this share, a list is cut back to it. */
const SLACK = 0.5

/** The list with a product event in its place; one without a product changes nothing. Holds the newest `limit`. */
export function withItem(
  list: ItemList,
  event: ShopEvent,
  { place, limit }: { readonly place: LogPlace; readonly limit: number },
): ItemList {
  if (event.product_id === null) return list
  const item: StoredItem = [event.product_id, event.action, event.ts, place.partition, place.offset]
  const [text, count, newestTs] = list
  if (event.ts < newestTs || count + 1 > limit * (1 + SLACK))
    return inserted(
      parsed(text).map((known) => notAfter(known, event)),
      item,
      limit,
    )
  const own = JSON.stringify(item)
  return [count === 0 ? own : `${own},${text}`, count + 1, event.ts]
}

/** True for lists of the same items. */
export function isSameList([text]: ItemList, [otherText]: ItemList): boolean {
  return text === otherText
}

/** The items, newest first, at most `limit`. */
export function itemsOf([text]: ItemList, limit: number): HistoryItem[] {
  return parsed(text)
    .slice(0, limit)
    .map(([product_id, action, ts, partition, offset]) => ({ product_id, action, ts, partition, offset }))
}

/** Senders may be a day ahead; what lies later was placed by a clock that was wrong, and is taken for as new as the event. */
function notAfter(known: StoredItem, { received_at }: ShopEvent): StoredItem {
  if (known[2] <= received_at + AHEAD_MS) return known
  const [productId, action, , partition, offset] = known
  return [productId, action, received_at, partition, offset]
}

function inserted(items: readonly StoredItem[], item: StoredItem, limit: number): ItemList {
  const at = items.findIndex((other) => other[2] <= item[2])
  const before = at < 0 ? items.length : at
  const kept = [...items.slice(0, before), item, ...items.slice(before)].slice(0, limit)
  return [JSON.stringify(kept).slice(1, -1), kept.length, kept[0]?.[2] ?? item[2]]
}

function parsed(text: string): StoredItem[] {
  return JSON.parse(`[${text}]`) as StoredItem[]
}
