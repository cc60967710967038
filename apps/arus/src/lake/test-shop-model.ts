import type { ShopEvent } from '../events/event.ts'

/** An event of the log with its place. */
export interface PlacedEvent {
  readonly event: ShopEvent
  readonly partition: number
  readonly offset: number
}

/** An event as `silver.events` must hold it. */
export interface ModelRow extends PlacedEvent {
  readonly shopper: string
  readonly session: string
  readonly category: string | null
}

const GAP_MS = 30 * 60_000

/** `silver.events` in plain code: each id once, the first taken in; sessions as given, else by gaps of 30 minutes. */
export function modelSilver(
  placed: readonly PlacedEvent[],
  categories: ReadonlyMap<string, string>,
): ModelRow[] {
  const first = new Map<string, PlacedEvent>()
  const byIntake = [...placed].sort(
    (a, b) => a.event.received_at - b.event.received_at || a.partition - b.partition || a.offset - b.offset,
  )
  for (const row of byIntake) if (!first.has(row.event.event_id)) first.set(row.event.event_id, row)
  const rows: ModelRow[] = []
  const last = new Map<string, { ts: number; start: number }>()
  const byTime = [...first.values()].sort(
    (a, b) => a.event.ts - b.event.ts || a.partition - b.partition || a.offset - b.offset,
  )
  for (const row of byTime) {
    const { user_id, anonymous_id, session_id, ts, product_id } = row.event
    const shopper = user_id ?? anonymous_id ?? session_id ?? ''
    const category = product_id === null ? null : (categories.get(product_id) ?? null)
    if (session_id !== null) {
      rows.push({ ...row, shopper, session: session_id, category })
      continue
    }
    const before = last.get(shopper)
    const start = before === undefined || ts - before.ts > GAP_MS ? ts : before.start
    last.set(shopper, { ts, start })
    rows.push({ ...row, shopper, session: `${shopper}@${start}`, category })
  }
  return rows
}

/** Key, events, purchases, distinct shoppers and revenue of a rollup, in plain code, sorted by key. */
export function modelRollup(rows: readonly ModelRow[], keyOf: (row: ModelRow) => string | null): unknown[][] {
  const groups = new Map<string, ModelRow[]>()
  for (const row of rows) {
    const key = keyOf(row)
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      const bought = group.filter(({ event }) => event.action === 'purchase')
      const revenue = bought.reduce((sum, { event }) => sum + (event.price ?? 0) * (event.quantity ?? 1), 0)
      return [key, group.length, bought.length, new Set(group.map(({ shopper }) => shopper)).size, revenue]
    })
}
