import { Packr, RESERVE_START_SPACE } from 'msgpackr'
import { ArusError } from '../errors.ts'
import type { StateChange, StateValue } from './state-store.ts'

/** What LMDB holds in a key of 4 KB pages, less what its encoding may add. One limit for all adapters. */
const KEY_BYTES_MAX = 1_900
/** A stored value begins with the moment it may go (f64 big-endian, UTC ms, 0 for never); MessagePack follows. */
const HEADER_BYTES = 8

/** How state is stored: the same bytes in every adapter. */
export class StateCodec {
  readonly #packr = new Packr({ useRecords: false })

  /** The bytes of a change's value; null where it removes the key. Throws `STATE_UNSTORABLE`. */
  encode({ key, value, expiresAtMs = 0 }: StateChange): Buffer | null {
    if (!isKey(key)) {
      throw new ArusError(
        'STATE_UNSTORABLE',
        `a key of the state store has 1 to ${KEY_BYTES_MAX} bytes, found ${Buffer.byteLength(key)}: ${key.slice(0, 80)}`,
      )
    }
    if (value === undefined) return null
    try {
      const bytes = this.#packr.pack(value, RESERVE_START_SPACE + HEADER_BYTES)
      bytes.writeDoubleBE(expiresAtMs, 0)
      return bytes
    } catch (error) {
      throw new ArusError('STATE_UNSTORABLE', `the value of ${key.slice(0, 80)} is no JSON value`, {
        cause: error,
      })
    }
  }

  decode(bytes: Buffer): StateValue {
    return this.#packr.unpack(bytes.subarray(HEADER_BYTES))
  }
}

/** True for what may be a key. */
export function isKey(key: string): boolean {
  if (key.length === 0 || key.length > KEY_BYTES_MAX) return false
  return key.length * 3 <= KEY_BYTES_MAX || Buffer.byteLength(key) <= KEY_BYTES_MAX
}

/** When a stored value may go, UTC ms; 0 for never. */
export function expiryOf(bytes: Buffer): number {
  return bytes.readDoubleBE(0)
}

/** True for a stored value whose time is over. */
export function isPast(bytes: Buffer, nowMs: number): boolean {
  const expiresAtMs = expiryOf(bytes)
  return expiresAtMs > 0 && expiresAtMs <= nowMs
}
