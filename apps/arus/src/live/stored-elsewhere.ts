/** Keys that another process has stored, gathered until somebody comes for them. */
export class StoredElsewhere {
  #keys: Set<string> | null = new Set()
  #hasCome = false
  #wake: (() => void) | null = null

  /** Null: nobody knows which, so all of them. */
  add(keys: readonly string[] | null): void {
    this.#hasCome = true
    if (keys === null) this.#keys = null
    for (const key of keys ?? []) this.#keys?.add(key)
    this.#wake?.()
  }

  /** What came since the last call; waits for something at most so long. Null for all keys there are. */
  async take(waitMs: number, signal: AbortSignal): Promise<readonly string[] | null> {
    if (!this.#hasCome && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, waitMs)
      signal.addEventListener('abort', () => resolve(), { once: true })
      this.#wake = resolve
      await promise
      this.#wake = null
      clearTimeout(timer)
    }
    const keys = this.#keys
    this.#keys = new Set()
    this.#hasCome = false
    return keys === null ? null : [...keys]
  }
}
