/**
 * Runs work when triggered: at once, then at most once per interval, never two at a time, and always once more
 * after the last trigger. Work must not reject.
 */
export class Coalesced {
  readonly #work: () => Promise<void> | void
  readonly #minIntervalMs: number
  #isRunning = false
  #isWanted = false
  #isStopped = false
  #timer: NodeJS.Timeout | null = null

  constructor(work: () => Promise<void> | void, minIntervalMs: number) {
    this.#work = work
    this.#minIntervalMs = minIntervalMs
  }

  trigger(): void {
    if (this.#isStopped) return
    if (this.#isRunning || this.#timer !== null) {
      this.#isWanted = true
      return
    }
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    this.#isWanted = false
    await this.#work()
    this.#isRunning = false
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#isWanted) void this.#run()
    }, this.#minIntervalMs)
  }
}
