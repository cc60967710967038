interface Claim {
  /** The call that made it. */
  readonly by: unknown
  /** Resolves when the event of this id is durable; rejects when it could not be written. Null once it is. */
  waiting: PromiseWithResolvers<void> | null
}

/**
 * Ids this process took in lately, so that a repeat is found before the processors have applied the first. Bounded: two
 * generations of `capacity`, the older forgotten as a whole.
 */
export class RecentIds {
  readonly #capacity: number
  #newer = new Map<string, Claim>()
  #older = new Map<string, Claim>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /**
   * Claims ids for the caller: `claimed` are the places of those it is first with. `others` resolves when the ones that
   * belong to somebody else are durable, and rejects when one of them failed. Who waits for them before writing waits for
   * earlier callers only.
   */
  claim(ids: readonly string[]): { readonly claimed: readonly number[]; readonly others: Promise<unknown> } {
    const claimed: number[] = []
    const others: Promise<void>[] = []
    for (const [i, id] of ids.entries()) {
      const known = this.#newer.get(id) ?? this.#older.get(id)
      if (known === undefined) {
        this.#newer.set(id, { by: claimed, waiting: Promise.withResolvers() })
        claimed.push(i)
      } else if (known.waiting !== null && known.by !== claimed) others.push(known.waiting.promise)
    }
    if (this.#newer.size > this.#capacity) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    const all = Promise.all(others)
    all.catch(() => {})
    return { claimed, others: all }
  }

  /** The events of these ids are durable. */
  settle(ids: readonly string[]): void {
    for (const id of ids) {
      const claim = this.#newer.get(id) ?? this.#older.get(id)
      claim?.waiting?.resolve()
      if (claim !== undefined) claim.waiting = null
    }
  }

  /** They are as if they never came; those whose event is being written now stay. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      for (const generation of [this.#newer, this.#older])
        if (generation.get(id)?.waiting === null) generation.delete(id)
    }
  }

  /** They could not be written: whoever sends them again is first. */
  release(ids: readonly string[], error: unknown): void {
    for (const id of ids) {
      const claim = this.#newer.get(id) ?? this.#older.get(id)
      claim?.waiting?.promise.catch(() => {})
      claim?.waiting?.reject(error)
      this.#newer.delete(id)
      this.#older.delete(id)
    }
  }
}
