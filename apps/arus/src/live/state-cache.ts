import type { StateStore } from '../state/state-store.ts'

/**
 * Values of one kind in front of the store: those used lately stay in memory. Changes are held until `drain`, which
 * hands them over for the commit; `drop` forgets everything, for when a commit failed. What was handed over stays in memory until
 * the next `drain`, and must not be changed in place: it may not be stored yet.
 */
export class StateCache<T> {
  readonly #prefix: string
  readonly #capacity: number
  #newer = new Map<string, T | undefined>()
  #older = new Map<string, T | undefined>()
  readonly #dirty = new Set<string>()
  #drops = 0

  constructor(prefix: string, capacity: number) {
    this.#prefix = prefix
    this.#capacity = capacity
  }

  /** Brings what is missing into memory, with one read. */
  async load(store: StateStore, ids: Iterable<string>): Promise<void> {
    const unknown = new Set<string>()
    for (const id of ids) if (!this.#isKnown(id)) unknown.add(id)
    if (unknown.size === 0) return
    const missing = [...unknown]
    const values = await store.getMany(missing.map((id) => this.#prefix + id))
    // A change made while the store was being read is newer than what the store said.
    for (const [i, id] of missing.entries())
      if (!this.#isKnown(id)) this.#remember(id, values[i] as T | undefined)
  }

  /** The value, of an id that was loaded. */
  get(id: string): T | undefined {
    const value = this.#newer.get(id)
    return value !== undefined || this.#newer.has(id) ? value : this.#older.get(id)
  }

  set(id: string, value: T | undefined): void {
    this.#newer.set(id, value)
    this.#dirty.add(id)
  }

  /** Whether the value was changed since the last `drain`. */
  isChanged(id: string): boolean {
    return this.#dirty.has(id)
  }

  get changeCount(): number {
    return this.#dirty.size
  }

  /** A read for those outside a batch. */
  async read(store: StateStore, id: string): Promise<T | undefined> {
    if (this.#isKnown(id)) return this.get(id)
    return (await store.get(this.#prefix + id)) as T | undefined
  }

  /**
   * Reads for those outside a batch, in the order of `ids`; what is missing in memory, with one read. Which of them the store does not have
   * is remembered, for the batch that will bring them.
   */
  async readMany(store: StateStore, ids: readonly string[]): Promise<(T | undefined)[]> {
    const missing = ids.filter((id) => !this.#isKnown(id))
    if (missing.length === 0) return ids.map((id) => this.get(id))
    const drops = this.#drops
    const values = await store.getMany(missing.map((id) => this.#prefix + id))
    const stored = new Map<string, T | undefined>()
    for (const [i, id] of missing.entries()) {
      const value = values[i] as T | undefined
      stored.set(id, value)
      const isAsRead = value === undefined && drops === this.#drops && !this.#isKnown(id)
      if (isAsRead && this.#newer.size < this.#capacity) this.#remember(id, value)
    }
    return ids.map((id) => (this.#isKnown(id) ? this.get(id) : stored.get(id)))
  }

  /** Changes since the last call. Only now may old values leave memory. */
  drain(): { readonly key: string; readonly value: T | undefined }[] {
    const changes = [...this.#dirty].map((id) => ({ key: this.#prefix + id, value: this.get(id) }))
    this.#dirty.clear()
    if (this.#newer.size > this.#capacity) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    return changes
  }

  /**
   * Another process has stored these keys: what is held of them goes, also what a read under way would remember. Gives the
   * ids among them that are of this kind.
   */
  follow(keys: readonly string[]): string[] {
    this.#drops += 1
    const ids = keys
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => key.slice(this.#prefix.length))
    for (const id of ids) {
      this.#newer.delete(id)
      this.#older.delete(id)
    }
    return ids
  }

  drop(): void {
    this.#drops += 1
    this.#newer.clear()
    this.#older.clear()
    this.#dirty.clear()
  }

  #isKnown(id: string): boolean {
    if (this.#newer.has(id)) return true
    const value = this.#older.get(id)
    if (value === undefined && !this.#older.has(id)) return false
    this.#newer.set(id, value)
    return true
  }

  #remember(id: string, value: T | undefined): void {
    this.#newer.set(id, value)
  }
}
