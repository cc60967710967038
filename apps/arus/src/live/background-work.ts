/** Work that goes on beside whoever began it, one at a time. Its failure is thrown at who asks next. */
export class BackgroundWork {
  #work: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null
  #isBusy = false

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Call only when what was begun before is done. Throws what it failed with, and begins nothing on top of a failure. */
  begin(work: () => Promise<void>): void {
    this.check()
    this.#isBusy = true
    this.#work = work()
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#isBusy = false
      })
  }

  /** Throws what failed since the last call, if anything did; waits for nothing. */
  check(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure.error
  }

  /** Resolves when nothing is under way, whatever became of it. */
  async idle(): Promise<void> {
    await this.#work
  }

  /** Resolves when nothing is under way; throws what failed. */
  async done(): Promise<void> {
    await this.#work
    this.check()
  }
}
