import type { ShopEvent } from './event.ts'
import { eventFault } from './event-fault.ts'
import { type ParsedEvent, parseEvent } from './event-schema.ts'
import { parseExactJson } from './exact-json.ts'
import { DEPTH_MAX, isDeeperThan } from './nesting.ts'

/** Where an entry of the events topic stands. */
export interface EntryPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Time of the record, UTC milliseconds. */
  readonly timestampMs: number
}

/**
 * The event of an entry of the events topic, or why it is none. Live state and lake decide by this alike, so that an entry is
 * either counted by both or rejected by both.
 *
 * An entry that ingest wrote holds every field and is taken as it stands. Any other is a foreign producer's: the rules of ingest
 * make the event of it, with the record's time as the time of intake (and of the event, where it brings none), and an id made of
 * its place where it brings none: the same each time it is read.
 */
export function readLoggedEvent(raw: string, place: EntryPlace): ParsedEvent {
  let body: unknown
  try {
    body = JSON.parse(raw)
  } catch {
    return refused('the entry is not JSON')
  }
  if (!isAsIngested(body)) return foreignEvent(raw, place)
  const fault = eventFault(body)
  return fault === null ? { kind: 'event', event: withTypes(body, place) } : refused(fault)
}

/** Written out, name by name: a loop over the names takes several times as long, and every event of the log comes by. */
function isAsIngested(body: unknown): body is Record<string, unknown> {
  if (typeof body !== 'object' || body === null) return false
  const event = body as { readonly [Field in keyof ShopEvent]?: unknown }
  return (
    event.event_id !== undefined &&
    event.user_id !== undefined &&
    event.session_id !== undefined &&
    event.anonymous_id !== undefined &&
    event.action !== undefined &&
    event.product_id !== undefined &&
    event.ts !== undefined &&
    event.received_at !== undefined &&
    event.price !== undefined &&
    event.quantity !== undefined &&
    event.order_id !== undefined &&
    event.recommendation_id !== undefined &&
    event.position !== undefined &&
    event.query !== undefined &&
    event.properties !== undefined
  )
}

/** Figures in the shape they must have: who writes all fields may still have written others into them. */
function withTypes(event: Record<string, unknown>, { timestampMs }: EntryPlace): ShopEvent {
  if (typeof event.price !== 'number') event.price = null
  if (typeof event.quantity !== 'number') event.quantity = null
  if (typeof event.received_at !== 'number') event.received_at = timestampMs
  return event as unknown as ShopEvent
}

function foreignEvent(raw: string, { topic, partition, offset, timestampMs }: EntryPlace): ParsedEvent {
  const body = parseExactJson(raw)
  if (isDeeperThan(body, DEPTH_MAX)) return refused(`the entry nests deeper than ${DEPTH_MAX}`)
  return parseEvent(body, {
    nowMs: timestampMs,
    // With the time, since a topic that is made anew begins at offset 0 again.
    newId: () => `${topic}/${partition}/${offset}@${timestampMs}`,
  })
}

function refused(reason: string): ParsedEvent {
  return { kind: 'refused', refusal: { pointer: '', reason } }
}
