/** A stretch without an event this long ends a session. */
export const SESSION_GAP_MS = 30 * 60_000

/** Sessions and shoppers seen in the last half hour, by event time. Bounded by how many come in half an hour. */
export class RecentActivity {
  readonly #sessions = new Map<string, number>()
  readonly #shoppers = new Map<string, number>()
  #prunedAtMs = 0

  touch(session: string, shopper: string, tsMs: number): void {
    this.#sessions.set(session, Math.max(this.#sessions.get(session) ?? 0, tsMs))
    this.#shoppers.set(shopper, Math.max(this.#shoppers.get(shopper) ?? 0, tsMs))
  }

  forget(shopper: string, sessions: Iterable<string>): void {
    this.#shoppers.delete(shopper)
    for (const session of sessions) this.#sessions.delete(session)
  }

  active(nowMs: number): { readonly sessions: number; readonly users: number } {
    if (nowMs - this.#prunedAtMs > 1_000) {
      this.#prunedAtMs = nowMs
      for (const map of [this.#sessions, this.#shoppers]) {
        for (const [key, tsMs] of map) if (tsMs < nowMs - SESSION_GAP_MS) map.delete(key)
      }
    }
    return { sessions: this.#sessions.size, users: this.#shoppers.size }
  }
}

/** How often something happens: counts by second of the clock, over a window. */
export class RateCounter {
  readonly #windowSeconds: number
  readonly #counts = new Map<number, number>()

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds
  }

  add(count: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count)
    if (this.#counts.size > this.#windowSeconds + 1) {
      for (const old of this.#counts.keys()) if (old < second - this.#windowSeconds) this.#counts.delete(old)
    }
  }

  /** Sum of the window's whole seconds before now, and the current one. */
  total(nowMs: number): number {
    const second = Math.floor(nowMs / 1000)
    let total = 0
    for (const [at, count] of this.#counts)
      if (at > second - this.#windowSeconds && at <= second) total += count
    return total
  }
}
