import type { IncomingHttpHeaders } from 'node:http'
import { eventOfCloudEvent } from '../../events/dialects/cloudevents.ts'
import { mapMessages } from '../../events/dialects/map-messages.ts'
import { requestInvalid } from '../problem.ts'
import { type ParsedEvents, parseJson } from './parse-events.ts'

const PREFIX = 'ce-'

/** Events of a structured body (`application/cloudevents+json`): one envelope. */
export function parseCloudEvent(text: string): ParsedEvents {
  return mapped([parseJson(text)], true)
}

/** Events of a batched body (`application/cloudevents-batch+json`): a list of envelopes. */
export function parseCloudEventBatch(text: string): ParsedEvents {
  const body = parseJson(text)
  if (!Array.isArray(body)) throw requestInvalid('A batch of CloudEvents is a JSON array of them.')
  return mapped(body, false)
}

/** Whether a request is a CloudEvent in binary mode: attributes in headers, the body its data. */
export function isBinaryCloudEvent(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined
}

/** The event of a request in binary mode. Values of headers are percent-encoded (HTTP binding 1.0.2, 3.1.3.2). */
export function parseBinaryCloudEvent(text: string, headers: IncomingHttpHeaders): ParsedEvents {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), decoded(String(value))] as const)
  return mapped([{ ...Object.fromEntries(attributes), data: parseJson(text) }], true)
}

function mapped(envelopes: readonly unknown[], isSingle: boolean): ParsedEvents {
  const events = mapMessages(envelopes, (envelope) => [eventOfCloudEvent(envelope)])
  return { events, isSingle, reasons: new Map() }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
