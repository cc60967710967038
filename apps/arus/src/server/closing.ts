/** What was started, closed in the opposite order. One that fails does not keep the others from closing. */
export class Closing {
  readonly #closers: (() => Promise<void>)[] = []

  add(close: () => Promise<void>): void {
    this.#closers.unshift(close)
  }

  /** Throws the first failure once everything has been tried. A second call finds nothing left to do. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0)) {
      await close().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
}
