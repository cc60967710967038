import { parseExactJson } from '../../events/exact-json.ts'
import { DEPTH_MAX, isDeeperThan } from '../../events/nesting.ts'
import { requestInvalid } from '../problem.ts'

/** The events of a body. */
export interface ParsedEvents {
  /** What ingest is given; what could not be used as it came is a text that ingest will refuse. */
  readonly events: readonly unknown[]
  /** The body was one event, not a list. */
  readonly isSingle: boolean
  /** Why events at these places cannot be taken, where ingest could only say that they are no objects. */
  readonly reasons: ReadonlyMap<number, string>
}

/** Events of a JSON body: one, or an array. Throws `REQUEST_INVALID` for text that is no JSON. */
export function parseJsonEvents(text: string): ParsedEvents {
  if (text.trim() === '')
    throw requestInvalid('The body is empty; send an event, an array of events, or NDJSON.')
  const body = parseJson(text)
  return Array.isArray(body) ? withoutDeep(body, false) : withoutDeep([body], true)
}

/**
 * The value of a JSON text: whole numbers beyond 2^53 as text, keys `__proto__` dropped. Throws `REQUEST_INVALID`.
 */
export function parseJson(text: string): unknown {
  const body = parsed(text)
  if (body.kind === 'broken') throw requestInvalid(`The body is not valid JSON: ${body.reason}.`)
  return body.value
}

/** Events of an NDJSON body, one per line; a line that is no JSON is refused alone. Empty lines count for nothing. */
export function parseNdjsonEvents(text: string): ParsedEvents {
  const broken = new Map<number, string>()
  const events: unknown[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const result = parsed(line)
    if (result.kind === 'broken') broken.set(events.length, `is not valid JSON: ${result.reason}`)
    events.push(result.kind === 'broken' ? line : result.value)
  }
  if (events.length === 0) throw requestInvalid('The body is empty; send one JSON event per line.')
  const { events: usable, reasons } = withoutDeep(events, false)
  return { events: usable, isSingle: false, reasons: new Map([...broken, ...reasons]) }
}

type Parsed =
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'broken'; readonly reason: string }

function parsed(text: string): Parsed {
  try {
    return { kind: 'parsed', value: parseExactJson(text) }
  } catch (error) {
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error) }
  }
}

function withoutDeep(events: readonly unknown[], isSingle: boolean): ParsedEvents {
  const reasons = new Map<number, string>()
  const usable = events.map((event, index) => {
    if (!isDeeperThan(event, DEPTH_MAX)) return event
    reasons.set(index, `is nested deeper than ${DEPTH_MAX} levels`)
    return `(an event nested deeper than ${DEPTH_MAX} levels)`
  })
  return { events: usable, isSingle, reasons }
}
