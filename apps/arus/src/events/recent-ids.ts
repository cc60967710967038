/** The ids that one call claimed: their events become durable, or fail, together. */
interface Claim {
  /** Resolves when they are durable; rejects when they could not be written. Null once they are. */
  waiting: PromiseWithResolvers<void> | null
}

/** What came of a call's claim. */
export interface Claimed {
  /** Places of the ids that the caller is first with. */
  readonly claimed: readonly number[]
  /**
   * Resolves when those that belong to somebody else are durable, and rejects when one of them failed. Who waits for them
   * before writing waits for earlier callers only.
   */
  readonly others: Promise<unknown>
  /** The events of the claimed ids are durable. */
  readonly settle: () => void
  /** They could not be written: whoever sends them again is first. */
  readonly release: (error: unknown) => void
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

  /** Claims ids for the caller. */
  claim(ids: readonly string[]): Claimed {
    const waiting = Promise.withResolvers<void>()
    // Where nobody waits, nobody needs to be told of a failure.
    waiting.promise.catch(() => {})
    const claim: Claim = { waiting }
    const claimed: number[] = []
    const others = new Set<Promise<void>>()
    for (const [i, id] of ids.entries()) {
      const known = this.#newer.get(id) ?? this.#older.get(id)
      if (known === undefined) {
        this.#newer.set(id, claim)
        claimed.push(i)
      } else if (known.waiting !== null && known !== claim) others.add(known.waiting.promise)
    }
    if (this.#newer.size > this.#capacity) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    const all = others.size === 0 ? Promise.resolve() : Promise.all(others)
    all.catch(() => {})
    return {
      claimed,
      others: all,
      settle: () => {
        claim.waiting = null
        waiting.resolve()
      },
      release: (error) => {
        for (const i of claimed) this.#forget(ids[i]!, (other) => other === claim)
        waiting.reject(error)
      },
    }
  }

  /** They are as if they never came; those whose event is being written now stay. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#forget(id, ({ waiting }) => waiting === null)
  }

  #forget(id: string, isMeant: (claim: Claim) => boolean): void {
    for (const generation of [this.#newer, this.#older]) {
      const claim = generation.get(id)
      if (claim !== undefined && isMeant(claim)) generation.delete(id)
    }
  }
}
