import type { Session } from './sessions.ts'

interface Open {
  readonly session: Session
  readonly shopper: string
}

/** Sessions that may still go on, by event time. Bounded by how many come within the gap that ends a session. */
export class RecentActivity {
  readonly #gapMs: number
  readonly #open = new Map<string, Open>()
  #prunedAtMs = 0

  constructor(gapMs: number) {
    this.#gapMs = gapMs
  }

  touch(session: Session, shopper: string): void {
    this.#open.set(keyOf(session, shopper), { session, shopper })
  }

  forget(sessions: Iterable<Session>, shopper: string): void {
    for (const session of sessions) this.#open.delete(keyOf(session, shopper))
  }

  /** Sessions with an event within the gap before now; one that a clock ahead has placed later counts too. */
  open(nowMs: number): readonly Session[] {
    this.#prune(nowMs)
    return Array.from(this.#open.values(), ({ session }) => session)
  }

  /** Distinct sessions and shoppers; a name that two shoppers share, as around a log-in, is one session. */
  active(nowMs: number): { readonly sessions: number; readonly users: number } {
    this.#prune(nowMs)
    const sessions = new Set<string>()
    const users = new Set<string>()
    for (const { session, shopper } of this.#open.values()) {
      sessions.add(session[0])
      users.add(shopper)
    }
    return { sessions: sessions.size, users: users.size }
  }

  /** By both ends: what lies further ahead than a session may last was left by a clock that is right again. */
  #prune(nowMs: number): void {
    if (Math.abs(nowMs - this.#prunedAtMs) <= 1_000) return
    this.#prunedAtMs = nowMs
    for (const [name, { session }] of this.#open)
      if (Math.abs(nowMs - session[2]) > this.#gapMs) this.#open.delete(name)
  }
}

function keyOf([name]: Session, shopper: string): string {
  return `${shopper}\n${name}`
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
