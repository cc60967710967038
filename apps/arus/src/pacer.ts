import { setImmediate } from 'node:timers/promises'

/** Work is paused once it has held the event loop for so long: a request that comes meanwhile waits no longer. */
const HOLD_MS = 2
/** Steps between two looks at the clock. */
const LOOK_EVERY = 16

/** Lets requests in while long work goes on in steps: `if (pacer.isDue()) await pacer.pause()` after each. */
export class Pacer {
  #steps = 0
  #sinceMs = performance.now()

  isDue(): boolean {
    this.#steps += 1
    return this.#steps % LOOK_EVERY === 0 && performance.now() - this.#sinceMs >= HOLD_MS
  }

  async pause(): Promise<void> {
    await setImmediate()
    this.#sinceMs = performance.now()
  }
}
