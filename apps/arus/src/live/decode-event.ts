import type { LogEntry } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import type { ShopEvent } from '../events/event.ts'

/** Longer ids would not fit into the keys of a state store; ingest allows 256 characters. */
const ID_LENGTH_MAX = 512
const TEXTS = ['event_id', 'action'] as const
const OPTIONAL_TEXTS = ['user_id', 'session_id', 'anonymous_id', 'product_id'] as const
/** Largest time a date can hold, ECMA-262 §21.4.1.1. */
const TIME_MAX_MS = 8.64e15

/**
 * The event of a log entry, with the fields that live state is keyed by in the shape they must have. Others may write
 * to the log than our own ingest: what is no event throws `REQUEST_INVALID` (a `SyntaxError` where it is no JSON).
 */
export function decodeEvent({ value, timestampMs }: LogEntry): ShopEvent {
  const { buffer, byteOffset, byteLength } = value
  const event: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'))
  if (!isFields(event)) throw fault('an object', event)
  for (const name of TEXTS) if (!isId(event[name])) throw fault(`a text as ${name}`, event[name])
  for (const name of OPTIONAL_TEXTS) {
    event[name] ??= null
    if (event[name] !== null && !isId(event[name])) throw fault(`a text or null as ${name}`, event[name])
  }
  if (event.user_id === null && event.anonymous_id === null && event.session_id === null)
    throw fault('user_id, anonymous_id or session_id', null)
  if (typeof event.ts !== 'number' || !(Math.abs(event.ts) <= TIME_MAX_MS))
    throw fault('UTC milliseconds as ts', event.ts)
  for (const name of ['price', 'quantity'] as const) if (typeof event[name] !== 'number') event[name] = null
  event.received_at ??= timestampMs
  return event as unknown as ShopEvent
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= ID_LENGTH_MAX
}

function fault(expected: string, found: unknown): ArusError {
  return new ArusError(
    'REQUEST_INVALID',
    `expected ${expected}, found ${JSON.stringify(found)?.slice(0, 80)}`,
  )
}
