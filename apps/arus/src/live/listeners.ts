interface Waiting {
  readonly isDone: () => boolean
  readonly settle: (done: boolean) => void
  readonly timer: NodeJS.Timeout
}

interface Throttled {
  readonly listener: () => void
  readonly minIntervalMs: number
  calledAtMs: number
  timer: NodeJS.Timeout | null
}

/** Those who want to know of commits: of one shopper, of any, or of the one that makes a condition true. */
export class Listeners {
  readonly #shoppers = new Map<string, Set<() => void>>()
  readonly #any = new Set<Throttled>()
  readonly #waiting = new Set<Waiting>()

  onShopper(shopper: string, listener: () => void): () => void {
    const listeners = this.#shoppers.get(shopper) ?? new Set()
    listeners.add(listener)
    this.#shoppers.set(shopper, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#shoppers.delete(shopper)
    }
  }

  /** Called at most every `minIntervalMs`; the last change is never left out. */
  onAny(listener: () => void, minIntervalMs: number): () => void {
    const throttled: Throttled = { listener, minIntervalMs, calledAtMs: 0, timer: null }
    this.#any.add(throttled)
    return () => {
      this.#any.delete(throttled)
      if (throttled.timer !== null) clearTimeout(throttled.timer)
    }
  }

  /** Resolves true when the condition holds after a commit (or already), false after the time-out. */
  until(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting: Waiting = {
      isDone,
      settle: (done) => {
        clearTimeout(waiting.timer)
        this.#waiting.delete(waiting)
        resolve(done)
      },
      timer: setTimeout(() => waiting.settle(false), timeoutMs),
    }
    this.#waiting.add(waiting)
    return promise
  }

  /** A commit changed these shoppers. */
  announce(shoppers: readonly string[]): void {
    for (const waiting of [...this.#waiting]) if (waiting.isDone()) waiting.settle(true)
    if (this.#shoppers.size > 0) {
      for (const shopper of new Set(shoppers))
        for (const listener of this.#shoppers.get(shopper) ?? []) listener()
    }
    for (const throttled of this.#any) call(throttled)
  }
}

function call(throttled: Throttled): void {
  if (throttled.timer !== null) return
  const waitMs = throttled.calledAtMs + throttled.minIntervalMs - performance.now()
  if (waitMs <= 0) {
    throttled.calledAtMs = performance.now()
    throttled.listener()
    return
  }
  throttled.timer = setTimeout(() => {
    throttled.timer = null
    throttled.calledAtMs = performance.now()
    throttled.listener()
  }, waitMs)
}
