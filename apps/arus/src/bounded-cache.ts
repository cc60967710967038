/**
 * A map of bounded size that keeps what was used recently: two generations, of which the older is dropped when the
 * newer is full. Holds at most `2 × capacity` entries; look-ups move an entry to the newer generation.
 */
export class BoundedCache<K, V> {
  readonly #capacity: number
  #newer = new Map<K, V>()
  #older = new Map<K, V>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Entries held; one that was used again may count twice. */
  get size(): number {
    return this.#newer.size + this.#older.size
  }

  get(key: K): V | undefined {
    const value = this.#newer.get(key)
    if (value !== undefined) return value
    const old = this.#older.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    if (this.#newer.size >= this.#capacity) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(key, value)
  }

  delete(key: K): void {
    this.#newer.delete(key)
    this.#older.delete(key)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }
}
