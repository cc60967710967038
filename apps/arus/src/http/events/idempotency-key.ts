import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { requestInvalid } from '../problem.ts'

const LENGTH_MAX = 255
/** A string of structured fields (RFC 9651, 3.3.3), as the draft asks, or the same without quotes, as many send it. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/
const BARE = /^[!#-+\--:<-~]+$/

/** The header, for a route's schema; `claimOf` looks at it. */
export const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description: 'Names this request: sent again, it is done once and answered the same.',
      examples: ['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    }),
  ),
})

/** What a client says is one and the same request. */
export interface IdempotencyClaim {
  /** The key, within the API key and the route it came by: clients cannot meet each other's. */
  readonly id: string
  /** Of what was sent. */
  readonly fingerprint: string
}

/** The claim of a request that sends `content`; null without the header. Throws `REQUEST_INVALID` when it is malformed. */
export function claimOf(request: FastifyRequest, content: unknown): IdempotencyClaim | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  const { method, apiKey, routeOptions } = request
  const id = JSON.stringify([apiKey?.id ?? '', method, routeOptions.url, keyOf(String(header))])
  return { id, fingerprint: hash('sha256', JSON.stringify(content), 'base64url') }
}

/**
 * The same events, those without an id given one made from the claim and their place: a repeat is a repeat even when the
 * answer is forgotten, after a restart or a crash before the answer. Other content makes other ids, so nothing is lost to a
 * key that was used twice.
 */
export function withClaimedIds(events: readonly unknown[], claim: IdempotencyClaim): unknown[] {
  const seed = hash('sha256', `${claim.id}\n${claim.fingerprint}`, 'base64url')
  return events.map((event, index) => {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return event
    const { event_id } = event as { readonly event_id?: unknown }
    return event_id === undefined || event_id === null ? { ...event, event_id: `${seed}-${index}` } : event
  })
}

function keyOf(header: string): string {
  const quoted = QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(header) ? header : '')
  if (key !== '' && key.length <= LENGTH_MAX) return key
  throw requestInvalid(
    `Idempotency-Key is a quoted text of 1 to ${LENGTH_MAX} plain characters, such as "8e03978e-40d5-43e8-bc93-6894a57f9324".`,
    [{ pointer: '/idempotency-key', reason: 'must be a quoted text' }],
  )
}
