import type { ShopEvent } from './event.ts'
import type { Refusal } from './refusal.ts'
import { Unmapped } from './unmapped.ts'

export type ParsedEvent =
  | { readonly kind: 'event'; readonly event: ShopEvent }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface ParseContext {
  readonly nowMs: number
  /** A new UUIDv7, for events that bring no id. */
  readonly newId: () => string
}

const ID_LENGTH_MAX = 256
const TEXT_LENGTH_MAX = 2_048
const PROPERTIES_BYTES_MAX = 16_384
const PROPERTIES_DEPTH_MAX = 6
/** A clock may be this far ahead. */
const AHEAD_MS_MAX = 24 * 3_600_000
const OLDEST_MS = Date.UTC(2000, 0, 1)
const ACTION = /^[a-z][a-z0-9_.:-]{0,63}$/
const NEEDS_PRODUCT: ReadonlySet<string> = new Set([
  'view',
  'click',
  'add_to_cart',
  'remove_from_cart',
  'purchase',
  'recommendation_clicked',
])
const FIELDS: ReadonlySet<string> = new Set([
  'event_id',
  'user_id',
  'session_id',
  'anonymous_id',
  'action',
  'product_id',
  'ts',
  'price',
  'quantity',
  'order_id',
  'recommendation_id',
  'position',
  'query',
  'properties',
  'received_at',
])

/** What makes one field of an event, or says why not. */
class Fault extends Error {
  readonly refusal: Refusal

  constructor(pointer: string, reason: string) {
    super(reason)
    this.refusal = { pointer, reason }
  }
}

/**
 * Makes the canonical event of what a sender gave. Numbers as ids become text; `ts` may be UTC milliseconds or an ISO
 * 8601 time and defaults to now; fields that are not known go into `properties`. The first fault refuses the event.
 */
export function parseEvent(raw: unknown, context: ParseContext): ParsedEvent {
  if (raw instanceof Unmapped) return { kind: 'refused', refusal: raw.refusal }
  try {
    return { kind: 'event', event: eventOf(raw, context) }
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', refusal: error.refusal }
    throw error
  }
}

function eventOf(raw: unknown, { nowMs, newId }: ParseContext): ShopEvent {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new Fault(
      '',
      `an event is a JSON object, found ${raw === null ? 'null' : Array.isArray(raw) ? 'an array' : typeof raw}`,
    )
  }
  const fields = raw as Readonly<Record<string, unknown>>
  const own = (name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  const user_id = idOf(own('user_id'), 'user_id')
  const session_id = idOf(own('session_id'), 'session_id')
  const anonymous_id = idOf(own('anonymous_id'), 'anonymous_id')
  if (user_id === null && session_id === null && anonymous_id === null) {
    throw new Fault(
      '/user_id',
      'give a user_id, an anonymous_id or a session_id: an event belongs to somebody',
    )
  }
  const action = actionOf(own('action'))
  const product_id = idOf(own('product_id'), 'product_id')
  if (product_id === null && NEEDS_PRODUCT.has(action)) {
    throw new Fault('/product_id', `"${action}" needs the product_id it was done with`)
  }
  return {
    event_id: idOf(own('event_id'), 'event_id') ?? newId(),
    user_id,
    session_id,
    anonymous_id,
    action,
    product_id,
    ts: timeOf(own('ts'), nowMs),
    received_at: nowMs,
    price: numberOf(own('price'), 'price', 0, 1e12),
    quantity: numberOf(own('quantity'), 'quantity', 0, 1e9),
    order_id: idOf(own('order_id'), 'order_id'),
    recommendation_id: idOf(own('recommendation_id'), 'recommendation_id'),
    position: positionOf(own('position')),
    query: textOf(own('query'), 'query'),
    properties: propertiesOf(fields, own('properties')),
  }
}

function idOf(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value)
    throw new Fault(`/${name}`, `${value} cannot be kept exactly as a number; send the id as a text`)
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'string')
    throw new Fault(`/${name}`, `an id is a text or a whole number, found ${kindOf(value)}`)
  const text = value.trim()
  if (text === '') throw new Fault(`/${name}`, 'an id is not empty; leave it out where there is none')
  if (text.length > ID_LENGTH_MAX)
    throw new Fault(`/${name}`, `an id has at most ${ID_LENGTH_MAX} characters, found ${text.length}`)
  return text
}

function actionOf(value: unknown): string {
  if (value === undefined || value === null)
    throw new Fault('/action', 'say what was done: view, click, add_to_cart, purchase, search, …')
  if (typeof value === 'string' && ACTION.test(value)) return value
  throw new Fault(
    '/action',
    `an action is lower-case letters, digits and _ . : -, at most 64, found ${JSON.stringify(value)?.slice(0, 80)}`,
  )
}

function timeOf(value: unknown, nowMs: number): number {
  if (value === undefined || value === null) return nowMs
  const ms = typeof value === 'string' ? isoTime(value) : value
  if (typeof ms !== 'number' || !Number.isFinite(ms)) {
    throw new Fault(
      '/ts',
      `a time is UTC milliseconds or ISO 8601 with a zone, found ${JSON.stringify(value)?.slice(0, 80)}`,
    )
  }
  const whole = Math.trunc(ms)
  if (whole > nowMs + AHEAD_MS_MAX)
    throw new Fault(
      '/ts',
      `${new Date(Math.min(whole, 8.64e15)).toISOString()} is more than a day ahead; is the clock right, and the unit milliseconds?`,
    )
  if (whole < OLDEST_MS) throw new Fault('/ts', `${whole} is before the year 2000; is the unit milliseconds?`)
  return whole
}

function isoTime(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
}

function numberOf(value: unknown, name: string, least: number, most: number): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new Fault(
    `/${name}`,
    `${name} is a number from ${least} to ${most}, found ${JSON.stringify(value)?.slice(0, 80)}`,
  )
}

function positionOf(value: unknown): number | null {
  const position = numberOf(value, 'position', 1, 100_000)
  if (position === null || Number.isInteger(position)) return position
  throw new Fault('/position', `a position is a whole number from 1, found ${position}`)
}

function textOf(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value.length <= TEXT_LENGTH_MAX) return value
  throw new Fault(
    `/${name}`,
    `${name} is a text of at most ${TEXT_LENGTH_MAX} characters, found ${typeof value === 'string' ? `${value.length} characters` : kindOf(value)}`,
  )
}

/** What was given as properties, and fields nobody knows, so that nothing a sender says is lost. */
function propertiesOf(
  fields: Readonly<Record<string, unknown>>,
  given: unknown,
): Readonly<Record<string, unknown>> | null {
  if (given !== undefined && given !== null && (typeof given !== 'object' || Array.isArray(given))) {
    throw new Fault('/properties', `properties are an object, found ${kindOf(given)}`)
  }
  const extra = Object.keys(fields).filter((name) => !FIELDS.has(name) && fields[name] !== undefined)
  if ((given === undefined || given === null) && extra.length === 0) return null
  const properties: Record<string, unknown> = Object.assign(Object.create(null), given)
  for (const name of extra) properties[name] = fields[name]
  if (depthOf(properties) > PROPERTIES_DEPTH_MAX)
    throw new Fault('/properties', `properties nest at most ${PROPERTIES_DEPTH_MAX} deep`)
  const json = JSON.stringify(properties, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  if (json.length > PROPERTIES_BYTES_MAX) {
    throw new Fault(
      '/properties',
      `properties have at most ${PROPERTIES_BYTES_MAX} characters as JSON, found ${json.length}`,
    )
  }
  return properties
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > PROPERTIES_DEPTH_MAX) return depth
  return Math.max(depth + 1, ...Object.values(value).map((item) => depthOf(item, depth + 1)))
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value
}
