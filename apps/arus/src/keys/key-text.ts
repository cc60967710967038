import { hash, timingSafeEqual } from 'node:crypto'
import type { KeyKind } from './api-key.ts'

const PREFIXES = { public: 'pk', secret: 'sk', admin: 'ak' } as const satisfies Record<KeyKind, string>
const ID_BYTES = 6
const SECRET_BYTES = 32
const PATTERN = /^((?:pk|sk|ak)_[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/

/** The text of a new key, `pk_<id>_<secret>`: 48 random bits to find it by, 256 to prove it. */
export function newKeyText(
  kind: KeyKind,
  fillRandom: (bytes: Buffer) => Buffer,
): { readonly id: string; readonly text: string } {
  const id = `${PREFIXES[kind]}_${fillRandom(Buffer.alloc(ID_BYTES)).toString('hex')}`
  return { id, text: `${id}_${fillRandom(Buffer.alloc(SECRET_BYTES)).toString('base64url')}` }
}

/** The id in a key's text; null for a text that is no key. */
export function idOfKeyText(text: string): string | null {
  return PATTERN.exec(text)?.[1] ?? null
}

/**
 * SHA-256 of a key's text, 32 bytes. A plain hash is enough: slow ones (argon2, scrypt) make guessing dear where people
 * chose the secret, and nobody guesses 256 random bits; this one can be paid on every request.
 */
export function hashOfKeyText(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function isSameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
