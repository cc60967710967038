import type { FastifyRequest } from 'fastify'

/** Longest value that is looked at, characters: no key is longer. */
const LENGTH_MAX = 256
const SCHEME = /^(bearer|basic) +(\S+) *$/i

/** Where a route takes a key beside the `Authorization` header. */
export interface KeyPlaces {
  /** A query parameter: beacons and Measurement Protocol cannot set headers. */
  readonly keyParameter?: 'key' | 'api_secret'
  /** The body's `writeKey`, as analytics.js sends it. */
  readonly isKeyInBody?: boolean
}

/**
 * The key a request presents, before its body is there: a bearer token, the user name of basic credentials, or the
 * query parameter its route takes. Null when there is none.
 */
export function presentedKey({ headers, query }: FastifyRequest, places: KeyPlaces = {}): string | null {
  const authorization = headers.authorization
  if (authorization !== undefined) return keyOfHeader(authorization)
  if (places.keyParameter === undefined) return null
  const fields = query as Readonly<Record<string, unknown>>
  return keyOfValue(fields[places.keyParameter]) ?? keyOfValue(fields.key)
}

/** The key in a body, for a route that takes it there. */
export function keyInBody(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'writeKey')) return null
  return keyOfValue((body as { readonly writeKey: unknown }).writeKey)
}

/** A header that is no credentials still is an attempt: it is a key that nobody has. */
function keyOfHeader(header: string): string {
  const [, scheme = '', value = ''] = SCHEME.exec(header.slice(0, LENGTH_MAX)) ?? []
  if (scheme.toLowerCase() !== 'basic') return value
  return Buffer.from(value, 'base64').toString().split(':', 1)[0] ?? ''
}

function keyOfValue(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, LENGTH_MAX) : null
}
