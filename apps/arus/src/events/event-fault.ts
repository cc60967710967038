import { DEPTH_MAX, isDeeperThan } from './nesting.ts'

/** Longer ids would not fit into the keys of a state store; ingest allows 256 characters. */
const ID_LENGTH_MAX = 512
const TEXTS = ['event_id', 'action'] as const
const OPTIONAL_TEXTS = ['user_id', 'session_id', 'anonymous_id', 'product_id'] as const

/**
 * Why what has every field of an event is none all the same, or null when it is one. Others may write to the log than our
 * own ingest.
 */
export function eventFault(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return expected('an object', body)
  const event = body as Readonly<Record<string, unknown>>
  for (const name of TEXTS) if (!isId(event[name])) return expected(`a text as ${name}`, event[name])
  for (const name of OPTIONAL_TEXTS) {
    const value = event[name] ?? null
    if (value !== null && !isId(value)) return expected(`a text or null as ${name}`, value)
  }
  if (event.user_id == null && event.anonymous_id == null && event.session_id == null)
    return expected('user_id, anonymous_id or session_id', null)
  if (!isTime(event.ts)) return expected('UTC milliseconds as ts', event.ts)
  return isDeeperThan(event.properties, DEPTH_MAX) ? `properties nest deeper than ${DEPTH_MAX}` : null
}

/** Within what a date of four digits can say. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && value > -2e13 && value < 2.5e14
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= ID_LENGTH_MAX
}

function expected(what: string, found: unknown): string {
  // Not all that is nested can be written out again.
  const text = typeof found === 'object' && found !== null ? 'an object or a list' : JSON.stringify(found)
  return `expected ${what}, found ${text?.slice(0, 80)}`
}
