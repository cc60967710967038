import { ArusError } from '../errors.ts'
import type { KeyKind, NewApiKey } from './api-key.ts'
import { originOf } from './origin.ts'

/** Requests a minute from one address with a public key, where nothing else is said. */
const PUBLIC_LIMIT_PER_MINUTE = 6_000

export interface NewKeyRequest {
  readonly kind: KeyKind
  readonly name: string
  readonly origins?: readonly string[]
  /** 0 means no limit. */
  readonly rate_limit_per_minute?: number
}

/** A key to be made, with what was not said filled in. Throws `REQUEST_INVALID` when an origin is none. */
export function newApiKey({ kind, name, origins = [], rate_limit_per_minute }: NewKeyRequest): NewApiKey {
  const limit = rate_limit_per_minute ?? (kind === 'public' ? PUBLIC_LIMIT_PER_MINUTE : 0)
  return {
    kind,
    name: name.trim(),
    origins: [...new Set(origins.map(validOrigin))],
    rate_limit_per_minute: limit === 0 ? null : limit,
  }
}

function validOrigin(text: string, index: number): string {
  const origin = originOf(text)
  if (origin !== null) return origin
  throw new ArusError(
    'REQUEST_INVALID',
    `An origin is a scheme and a host, such as https://shop.example; found "${text.slice(0, 100)}".`,
    { details: { errors: [{ pointer: `/origins/${index}`, reason: 'must be an origin' }] } },
  )
}
