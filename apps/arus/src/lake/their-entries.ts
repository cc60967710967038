import type { LogEntry } from '@arus/event-log'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import { mentionOf } from '../events/shopper-names.ts'
import type { Decoded } from './bronze-columns.ts'
import { type LakeTopics, type Route, routesOf, type SortedEntries, sortEntry } from './bronze-routes.ts'

/** A topic, and the test for its entries that are a person's: the same rows of bronze are theirs. */
export interface TheirTopic {
  readonly topic: string
  readonly isTheirs: (entry: LogEntry) => boolean
}

/** Every topic that may hold something of a person. */
export function theirTopics(topics: LakeTopics, names: readonly string[]): TheirTopic[] {
  const known = new Set(names)
  const isMentioned = mentionOf(names)
  return routesOf(topics).map((route) => ({
    topic: route.topic,
    isTheirs: (entry) => {
      const shopper = route.table === 'bronze.events' ? ingestedShopper(entry) : null
      if (shopper !== null) return known.has(shopper)
      const sorted: SortedEntries = { decoded: [], broken: [] }
      sortEntry(route, 0, entry, sorted)
      const [broken] = sorted.broken
      if (broken !== undefined) return isMentioned(broken.raw)
      return sorted.decoded.some((decoded) => isOfName(route, decoded, known, isMentioned))
    },
  }))
}

/** Whose an entry is that ingest wrote, without looking at all of it; null for other entries. */
function ingestedShopper({ key, value }: LogEntry): string | null {
  if (key === null || key === '') return null
  try {
    const event = JSON.parse(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(),
    ) as ShopEvent
    return typeof event.action === 'string' && shopperOf(event) === key ? key : null
  } catch {
    return null
  }
}

function isOfName(
  { table }: Route,
  { body }: Decoded,
  known: ReadonlySet<string>,
  isMentioned: (raw: string) => boolean,
): boolean {
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : null)
  if (table === 'bronze.rejected_events') return isMentioned(text('raw') ?? JSON.stringify(body.raw ?? ''))
  const [user_id, session_id] = [text('user_id'), text('session_id')]
  if (table === 'bronze.recommendations') return known.has(user_id ?? session_id ?? '')
  return known.has(shopperOf({ user_id, session_id, anonymous_id: text('anonymous_id') }))
}
