import { Unmapped } from '../unmapped.ts'
import { actionNamed } from './action-names.ts'
import { type Fields, fieldsOf, given, without } from './canonical-fields.ts'
import { hashOf, sessionIdOf } from './derived-ids.ts'
import { eventsOfMessage } from './product-lines.ts'

const LINE = {
  product_id: ['item_id'],
  price: ['price'],
  quantity: ['quantity'],
  position: ['position'],
} as const
const WHOLE = {
  order_id: ['transaction_id'],
  query: ['search_term'],
  recommendation_id: ['recommendation_id'],
} as const
/** Of the body, what is said of the visitor and kept; what serves Google's advertising is not. */
const KEPT_OF_BODY = ['user_properties', 'consent'] as const

/**
 * Canonical events of one entry of `events` in a GA4 Measurement Protocol body, not yet validated: one per item for
 * events of the table. With a timestamp, ids are a hash of who, when, place and content, so that the same body sent
 * again counts once; without one repeats cannot be told from new events. Never throws.
 */
export function eventsOfGa4(raw: unknown, body: Fields, index: number): unknown[] {
  const event = fieldsOf(raw)
  if (event === null) return [new Unmapped(raw, '', 'an event is an object with "name" and "params"')]
  const name = given(event, 'name')
  if (typeof name !== 'string') return [new Unmapped(raw, '/name', 'an event needs its name')]
  const { action, products } = actionNamed(name, 'ga4')
  const params = fieldsOf(given(event, 'params')) ?? {}
  const items = products === 'an event each' ? given(params, 'items') : undefined
  const lines = Array.isArray(items) ? items.map(withPosition) : []
  const micros = given(event, 'timestamp_micros') ?? given(body, 'timestamp_micros')
  const who = shopperOf(body, params)
  return eventsOfMessage({
    shared: { ...who, action, ts: msOfMicros(micros) },
    id: micros === undefined ? undefined : idOf([who.anonymous_id, who.user_id, micros, index, event]),
    details: lines.length > 0 ? without(params, new Set(['items'])) : params,
    extras: { ...(index === 0 ? ofVisitor(body) : {}), event_name: name },
    lines,
    linesPointer: '/params/items',
    names: { line: LINE, whole: WHOLE },
  })
}

function shopperOf(body: Fields, params: Fields) {
  const user_id = given(body, 'user_id')
  const anonymous_id = given(body, 'client_id') ?? given(body, 'app_instance_id')
  const session_id = sessionIdOf(given(params, 'session_id'), anonymous_id ?? user_id)
  return { user_id, anonymous_id, session_id }
}

/** `index` counts from 0 in Google's examples, `position` from 1 here. */
function withPosition(item: unknown): unknown {
  const fields = fieldsOf(item)
  const index = fields === null ? undefined : given(fields, 'index')
  if (fields === null || typeof index !== 'number' || !Number.isInteger(index)) return item
  return { ...without(fields, new Set(['index'])), position: index + 1 }
}

/** What is no number stays as it is, for ingest to refuse. */
function msOfMicros(micros: unknown): unknown {
  const number = typeof micros === 'string' ? Number(micros) : micros
  return typeof number === 'number' ? Math.floor(number / 1_000) : micros
}

function idOf(parts: readonly unknown[]): string {
  return `ga4-${hashOf(JSON.stringify(parts))}`
}

/** On the first event of a body alone, so that a body does not grow by its events. */
function ofVisitor(body: Fields): Fields {
  return Object.fromEntries(
    KEPT_OF_BODY.map((name) => [name, given(body, name)]).filter(([, value]) => value !== undefined),
  )
}
