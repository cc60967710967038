/** Works on shared state, one after the other. After one that failed, the state is first restored. */
export class Turns {
  readonly #restore: () => Promise<void>
  #last: Promise<unknown> = Promise.resolve()
  /** Some work began and did not end. */
  #isTorn = false

  constructor(restore: () => Promise<void>) {
    this.#restore = restore
  }

  /** Runs the work when its turn comes; rejects as it does. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      if (this.#isTorn) await this.#restore()
      this.#isTorn = true
      const done = await work()
      this.#isTorn = false
      return done
    })
    this.#last = result.catch(() => {})
    return result
  }

  /** Resolves when all work taken so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
