import { Unmapped } from '../unmapped.ts'
import { actionNamed } from './action-names.ts'
import { type Fields, fieldsOf, given, timeMsOf, without } from './canonical-fields.ts'
import { sessionIdOf } from './derived-ids.ts'
import { eventsOfMessage } from './product-lines.ts'

/** Calls of Segment's tracking API. */
export const SEGMENT_CALLS = ['track', 'identify', 'page', 'screen', 'alias', 'group'] as const
export type SegmentCall = (typeof SEGMENT_CALLS)[number]

export interface SegmentContext {
  /** The call the address stands for; in a batch each message names its own. */
  readonly call?: SegmentCall
  /** When the batch was sent, by the sender's clock; a message's own comes first. */
  readonly sentAt?: unknown
  /** When it arrived, by ours, UTC milliseconds. */
  readonly receivedMs: number
}

const LINE = {
  product_id: ['product_id', 'sku'],
  price: ['price'],
  quantity: ['quantity'],
  position: ['position'],
} as const
const WHOLE = {
  order_id: ['order_id'],
  query: ['query'],
  recommendation_id: ['recommendation_id'],
} as const
/** Used for other fields, or about transport only: the key, clocks, and which destinations Segment should feed. */
const NOT_PROPERTIES: ReadonlySet<string> = new Set([
  'type',
  'event',
  'messageId',
  'userId',
  'anonymousId',
  'properties',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'writeKey',
  'integrations',
  '_metadata',
])

/**
 * Canonical events of one message of Segment's tracking API (Segment spec: common fields, ecommerce V2), not yet
 * validated. Never throws; what is no message becomes `Unmapped`.
 */
export function eventsOfSegment(raw: unknown, context: SegmentContext): unknown[] {
  const message = fieldsOf(raw)
  if (message === null) return [new Unmapped(raw, '', 'a message is an object')]
  const call = context.call ?? given(message, 'type')
  if (!SEGMENT_CALLS.some((known) => known === call)) {
    return [new Unmapped(raw, '/type', `the type of a message is one of ${SEGMENT_CALLS.join(', ')}`)]
  }
  const name = call === 'track' ? given(message, 'event') : call
  if (typeof name !== 'string') return [new Unmapped(raw, '/event', 'track needs the name of an event')]
  const { action, products } = actionNamed(name, 'segment')
  const details = fieldsOf(given(message, 'properties')) ?? {}
  const lines = products === 'an event each' ? given(details, 'products') : undefined
  return eventsOfMessage({
    shared: { ...shopperOf(message), action, ts: timeOf(message, context) },
    id: given(message, 'messageId'),
    details: Array.isArray(lines) && lines.length > 0 ? without(details, new Set(['products'])) : details,
    extras: { ...without(message, NOT_PROPERTIES), ...(call === 'track' ? { event_name: name } : {}) },
    lines: Array.isArray(lines) ? lines : [],
    linesPointer: '/properties/products',
    names: { line: LINE, whole: WHOLE },
  })
}

/** RudderStack's SDKs keep the session in the context; Segment has none. */
function shopperOf(message: Fields): Fields {
  const context = fieldsOf(given(message, 'context')) ?? {}
  const user_id = given(message, 'userId')
  const anonymous_id = given(message, 'anonymousId')
  return {
    user_id,
    anonymous_id,
    session_id: sessionIdOf(given(context, 'sessionId'), anonymous_id ?? user_id),
  }
}

/**
 * How long before sending it happened is told by one clock, the sender's; counted back from our receipt, a wrong clock
 * does no harm. Without `sentAt` the sender's time stands. A time that is none is left for ingest to refuse.
 */
function timeOf(message: Fields, { sentAt, receivedMs }: SegmentContext): unknown {
  const told = given(message, 'originalTimestamp') ?? given(message, 'timestamp')
  const happenedMs = timeMsOf(told)
  if (happenedMs === undefined) return told
  const sentMs = timeMsOf(given(message, 'sentAt') ?? sentAt)
  return sentMs === undefined ? happenedMs : receivedMs - (sentMs - happenedMs)
}
