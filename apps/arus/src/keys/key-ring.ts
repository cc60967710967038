import type { ApiKey, ApiKeys, CreatedKey, NewApiKey } from './api-key.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { hashOfKeyText, idOfKeyText, isSameHash } from './key-text.ts'

/** How soon a key made or revoked by another process is seen. */
const REFRESH_MS = 2_000
/** How often it is written down when keys were used. */
const TOUCH_MS = 60_000

export interface KeyRingOptions {
  readonly store: KeyStore
  readonly now: () => number
  /** The database could not be asked; the keys known so far stay in force. */
  readonly onFault: (error: unknown) => void
}

/** The keys in force, in memory: a request costs one hash and one comparison, and no question to the database. */
export class KeyRing implements ApiKeys {
  readonly #options: KeyRingOptions
  readonly #used = new Map<string, number>()
  readonly #listeners = new Map<string, Set<() => void>>()
  #keys: ReadonlyMap<string, StoredKey> = new Map()
  #timer: NodeJS.Timeout | null = null
  #touchedMs: number

  private constructor(options: KeyRingOptions) {
    this.#options = options
    this.#touchedMs = options.now()
  }

  /** Reads the keys, and goes on reading them until closed. */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options)
    await ring.refresh()
    ring.#schedule()
    return ring
  }

  find(text: string): ApiKey | null {
    const id = idOfKeyText(text)
    if (id === null) return null
    const stored = this.#keys.get(id)
    if (stored === undefined || !isSameHash(hashOfKeyText(text), stored.hash)) return null
    this.#used.set(id, this.#options.now())
    return stored.key
  }

  list(): Promise<readonly ApiKey[]> {
    return this.#options.store.list()
  }

  async create(key: NewApiKey): Promise<CreatedKey> {
    const created = await this.#options.store.create(key)
    await this.refresh()
    return created
  }

  async revoke(id: string): Promise<ApiKey> {
    const revoked = await this.#options.store.revoke(id)
    await this.refresh()
    return revoked
  }

  onRevoked(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(id)
    }
  }

  /** Takes over what the database holds now. */
  async refresh(): Promise<void> {
    const stored = await this.#options.store.inForce()
    this.#keys = new Map(stored.map((one) => [one.key.id, one]))
    for (const [id, listeners] of [...this.#listeners]) {
      if (!this.#keys.has(id)) for (const listener of [...listeners]) listener()
    }
  }

  /** Writes down what was used, and reads no more. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#touch()
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#tick(), REFRESH_MS)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    const timer = this.#timer
    try {
      await this.refresh()
      if (this.#options.now() - this.#touchedMs >= TOUCH_MS) await this.#touch()
    } catch (error) {
      this.#options.onFault(error)
    }
    if (this.#timer === timer) this.#schedule()
  }

  async #touch(): Promise<void> {
    this.#touchedMs = this.#options.now()
    const used = new Map(this.#used)
    this.#used.clear()
    await this.#options.store.touch(used)
  }
}
