import type { LogEntry } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import type { ShopEvent } from '../events/event.ts'
import { eventFault } from '../events/event-fault.ts'

const OPTIONAL_TEXTS = ['user_id', 'session_id', 'anonymous_id', 'product_id'] as const

/**
 * The event of a log entry, with the fields that live state is keyed by in the shape they must have. What is no event
 * throws `REQUEST_INVALID` (a `SyntaxError` where it is no JSON).
 */
export function decodeEvent(entry: LogEntry): ShopEvent {
  const body: unknown = JSON.parse(rawOf(entry))
  const fault = eventFault(body)
  if (fault !== null) throw new ArusError('REQUEST_INVALID', fault)
  const event = body as Record<string, unknown>
  for (const name of OPTIONAL_TEXTS) event[name] ??= null
  for (const name of ['price', 'quantity'] as const) if (typeof event[name] !== 'number') event[name] = null
  if (typeof event.received_at !== 'number' || !Number.isFinite(event.received_at))
    event.received_at = entry.timestampMs
  return event as unknown as ShopEvent
}

/** An entry as text. */
export function rawOf({ value }: LogEntry): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}
