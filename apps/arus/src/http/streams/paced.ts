const WORK_PER_TURN = 100

/**
 * Does small works a hundred per turn of the event loop, so that telling ten thousand streams of a change does not hold up
 * requests. Work that still waits is not queued again: each does what is newest when its turn comes.
 */
export class Paced {
  readonly #waiting = new Set<() => void>()
  #isScheduled = false

  add(work: () => void): void {
    this.#waiting.add(work)
    this.#schedule()
  }

  remove(work: () => void): void {
    this.#waiting.delete(work)
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return
    this.#isScheduled = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#isScheduled = false
    let done = 0
    for (const work of this.#waiting) {
      if (done++ === WORK_PER_TURN) break
      this.#waiting.delete(work)
      work()
    }
    this.#schedule()
  }
}
