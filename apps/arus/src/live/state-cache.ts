import type { StateChange, StateStore } from '../state/state-store.ts'

interface Entry<T> {
  readonly id: string
  /** Undefined where the store has none. */
  value: T | undefined
  /** Since the last `drain`. */
  isChanged: boolean
}

/**
 * Values of one kind in front of the store: those used lately stay in memory. Changes are held until `drain`, which
 * hands them over for the commit; `drop` forgets everything, for when a commit failed. What was handed over stays in memory until
 * the next `drain`, and must not be changed in place: it may not be stored yet.
 */
export class StateCache<T> {
  readonly #prefix: string
  readonly #capacity: number
  #newer = new Map<string, Entry<T>>()
  #older = new Map<string, Entry<T>>()
  #changed: Entry<T>[] = []
  /** How often something left memory: what the store said before may be older than what left. */
  #departures = 0

  constructor(prefix: string, capacity: number) {
    this.#prefix = prefix
    this.#capacity = capacity
  }

  /** Brings what is missing into memory, with one read. */
  async load(store: StateStore, ids: Iterable<string>): Promise<void> {
    const unknown = new Set<string>()
    for (const id of ids) if (this.#known(id) === undefined) unknown.add(id)
    if (unknown.size === 0) return
    const missing = [...unknown]
    const values = await store.getMany(missing.map((id) => this.#prefix + id))
    // A change made while the store was being read is newer than what the store said.
    for (const [i, id] of missing.entries())
      if (this.#known(id) === undefined) this.#remember(id, values[i] as T | undefined)
  }

  /** The value, of an id that was loaded. */
  get(id: string): T | undefined {
    return (this.#newer.get(id) ?? this.#older.get(id))?.value
  }

  set(id: string, value: T | undefined): void {
    const entry = this.#known(id) ?? this.#remember(id, undefined)
    entry.value = value
    this.#isChanged(entry)
  }

  /** The value of an id that was loaded, to be changed in place: a copy, where it was not changed since the last `drain`. */
  own(id: string, copyOf: (value: T | undefined) => T): T {
    const entry = this.#known(id) ?? this.#remember(id, undefined)
    const value = entry.isChanged && entry.value !== undefined ? entry.value : copyOf(entry.value)
    entry.value = value
    this.#isChanged(entry)
    return value
  }

  get changeCount(): number {
    return this.#changed.length
  }

  /** A read for those outside a batch. */
  async read(store: StateStore, id: string): Promise<T | undefined> {
    const known = this.#known(id)
    return known === undefined ? (await this.readMany(store, [id]))[0] : known.value
  }

  /**
   * Reads for those outside a batch, in the order of `ids`; what is missing in memory, with one read. It is remembered while there is
   * room: until the next `drain` nothing may leave memory for it.
   */
  async readMany(store: StateStore, ids: readonly string[]): Promise<(T | undefined)[]> {
    const missing = ids.filter((id) => this.#known(id) === undefined)
    if (missing.length === 0) return ids.map((id) => this.get(id))
    const departures = this.#departures
    const values = await store.getMany(missing.map((id) => this.#prefix + id))
    const stored = new Map<string, T | undefined>()
    for (const [i, id] of missing.entries()) {
      const value = values[i] as T | undefined
      stored.set(id, value)
      // Where nothing left memory meanwhile, nobody changed what is not in memory.
      const isAsRead = departures === this.#departures && this.#known(id) === undefined
      if (isAsRead && this.#newer.size < this.#capacity) this.#remember(id, value)
    }
    return ids.map((id) => {
      const known = this.#known(id)
      return known === undefined ? stored.get(id) : known.value
    })
  }

  /** Changes since the last call, which the store may let go after `expiresAtMs`. Only now may old values leave memory. */
  drain(expiresAtMs: number): StateChange[] {
    const changes = this.#changed.map((entry) => {
      entry.isChanged = false
      return { key: this.#prefix + entry.id, value: entry.value, expiresAtMs }
    })
    this.#changed = []
    if (this.#newer.size > this.#capacity) this.#makeRoom()
    return changes
  }

  /**
   * Another process has stored these keys: what is held of them goes, also what a read under way would remember. Gives the
   * ids among them that are of this kind.
   */
  follow(keys: readonly string[]): string[] {
    this.#departures += 1
    const ids = keys
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => key.slice(this.#prefix.length))
    for (const id of ids) {
      this.#newer.delete(id)
      this.#older.delete(id)
    }
    // Nothing is drained here, so this is where room is made.
    if (this.#newer.size >= this.#capacity) this.#makeRoom()
    return ids
  }

  drop(): void {
    this.#departures += 1
    this.#newer.clear()
    this.#older.clear()
    this.#changed = []
  }

  #makeRoom(): void {
    this.#departures += 1
    this.#older = this.#newer
    this.#newer = new Map()
  }

  #known(id: string): Entry<T> | undefined {
    const newer = this.#newer.get(id)
    if (newer !== undefined) return newer
    const older = this.#older.get(id)
    if (older !== undefined) this.#newer.set(id, older)
    return older
  }

  #remember(id: string, value: T | undefined): Entry<T> {
    const entry = { id, value, isChanged: false }
    this.#newer.set(id, entry)
    return entry
  }

  #isChanged(entry: Entry<T>): void {
    if (entry.isChanged) return
    entry.isChanged = true
    this.#changed.push(entry)
  }
}
