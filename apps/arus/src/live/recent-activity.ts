import type { Session } from './sessions.ts'

/** Sessions that may still go on, by event time. Bounded by how many come within the gap that ends a session. */
export class RecentActivity {
  readonly #gapMs: number
  /** By shopper, then by name of the session. */
  readonly #open = new Map<string, Map<string, Session>>()
  #prunedAtMs = 0

  constructor(gapMs: number) {
    this.#gapMs = gapMs
  }

  touch(session: Session, shopper: string): void {
    const sessions = this.#open.get(shopper)
    if (sessions === undefined) this.#open.set(shopper, new Map([[session[0], session]]))
    else sessions.set(session[0], session)
  }

  forget(sessions: Iterable<Session>, shopper: string): void {
    const open = this.#open.get(shopper)
    for (const [name] of sessions) open?.delete(name)
    if (open?.size === 0) this.#open.delete(shopper)
  }

  forgetAllOf(shopper: string): void {
    this.#open.delete(shopper)
  }

  /** Sessions with an event within the gap before now; one that a clock ahead has placed later counts too. */
  open(nowMs: number): readonly Session[] {
    this.#prune(nowMs)
    return [...this.#open.values()].flatMap((sessions) => [...sessions.values()])
  }

  /** Distinct sessions and shoppers; a name that two shoppers share, as around a log-in, is one session. */
  active(nowMs: number): { readonly sessions: number; readonly users: number } {
    this.#prune(nowMs)
    const names = new Set<string>()
    for (const sessions of this.#open.values()) for (const name of sessions.keys()) names.add(name)
    return { sessions: names.size, users: this.#open.size }
  }

  /** By both ends: what lies further ahead than a session may last was left by a clock that is right again. */
  #prune(nowMs: number): void {
    if (Math.abs(nowMs - this.#prunedAtMs) <= 1_000) return
    this.#prunedAtMs = nowMs
    for (const [shopper, sessions] of this.#open) {
      const ended = [...sessions.values()].filter((session) => Math.abs(nowMs - session[2]) > this.#gapMs)
      this.forget(ended, shopper)
    }
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
