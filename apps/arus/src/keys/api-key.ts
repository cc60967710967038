/** What a key is for: browsers (`public`), servers (`secret`), or the people who run the shop (`admin`). */
export const KEY_KINDS = ['public', 'secret', 'admin'] as const

export type KeyKind = (typeof KEY_KINDS)[number]

/** A key as it may be shown: all but the secret, which is kept nowhere. Times are UTC ms. */
export interface ApiKey {
  /** How its text begins, such as `pk_3f9a0c12de45`; no secret. */
  readonly id: string
  readonly kind: KeyKind
  /** For people: who or what uses it. */
  readonly name: string
  /** Origins whose pages may use it, such as `https://shop.example`; none means any. */
  readonly origins: readonly string[]
  /** Requests a minute at most, of a public key by each address; null means no limit. */
  readonly rate_limit_per_minute: number | null
  readonly created_at: number
  /** To the minute; null while it was never used. */
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

/** What is decided when a key is made. */
export type NewApiKey = Pick<ApiKey, 'kind' | 'name' | 'origins' | 'rate_limit_per_minute'>

/** Keys as the API needs them. */
export interface ApiKeys {
  /** The key of this text when it is in force, else null. Asks memory only. */
  find(text: string): ApiKey | null
  /** Newest first, revoked ones too. */
  list(): Promise<readonly ApiKey[]>
  /** Makes a key; its text is given here and never again. */
  create(key: NewApiKey): Promise<CreatedKey>
  /** Ends a key. Again is no error. Throws `KEY_UNKNOWN`. */
  revoke(id: string): Promise<ApiKey>
  /** Calls `listener` once when the key is found revoked; returns how to stop that. */
  onRevoked(id: string, listener: () => void): () => void
}

/** A key that was just made. */
export interface CreatedKey {
  readonly key: ApiKey
  readonly text: string
}
