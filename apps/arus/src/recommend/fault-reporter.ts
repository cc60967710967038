/** A level of the ladder that threw. */
export interface LevelFault {
  readonly level: string
  readonly error: unknown
  /** Faults of this level since the last report. */
  readonly count: number
}

const REPORT_INTERVAL_MS = 1_000

/** Passes on at most one fault per level and second, with how many there were: a broken part must not flood the log. */
export class FaultReporter {
  readonly #report: (fault: LevelFault) => void
  readonly #now: () => number
  readonly #levels = new Map<string, { reportedAtMs: number; count: number }>()
  #count = 0

  constructor(report: (fault: LevelFault) => void, now: () => number) {
    this.#report = report
    this.#now = now
  }

  /** Faults so far, told or not. */
  get count(): number {
    return this.#count
  }

  /** `work()`, or `fallback` when it throws. */
  attempt<T>(level: string, fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.add(level, error)
      return fallback
    }
  }

  /** The same for work that is waited for. */
  async attemptAsync<T>(level: string, fallback: T, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.add(level, error)
      return fallback
    }
  }

  add(level: string, error: unknown): void {
    this.#count += 1
    const nowMs = this.#now()
    const known = this.#levels.get(level) ?? { reportedAtMs: Number.NEGATIVE_INFINITY, count: 0 }
    known.count += 1
    if (nowMs - known.reportedAtMs >= REPORT_INTERVAL_MS) {
      this.#report({ level, error, count: known.count })
      known.reportedAtMs = nowMs
      known.count = 0
    }
    this.#levels.set(level, known)
  }
}
