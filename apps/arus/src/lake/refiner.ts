import { checkQuality } from './check-quality.ts'
import type { Compute } from './computation.ts'
import type { Lake } from './lake.ts'
import { maintain } from './maintain.ts'
import { type RefineResult, refine } from './refine.ts'
import { GOLD_BY_DATE } from './refine-gold.ts'

export interface RefinerOptions {
  readonly lake: Lake
  /** Where silver and gold are computed. Default DuckDB in this process. */
  readonly compute?: Compute | undefined
  /** Older versions of the tables can be read this long. */
  readonly historyMs: number
  /** Least time between two refinements. Default 5,000; a long one waits twice as long as it took. */
  readonly intervalMs?: number
  /** Least time between two refinements of the gold tables that are written whole, and between two looks at quality. Default 60,000. */
  readonly wholeIntervalMs?: number
  /** False: nothing is refined by itself, as another process keeps the lake. */
  readonly isDue?: () => boolean
  readonly onFault?: (error: unknown) => void
  readonly now?: () => number
}

/** Keeps silver and gold up to bronze until stopped. */
export interface Refiner {
  /** Resolves when silver and gold stand for bronze as it was at the call, or later. */
  refineNow(): Promise<RefineResult>
  /** Resolves when nothing of it writes any more. */
  stop(): Promise<void>
}

const MAINTENANCE_INTERVAL_MS = 600_000

export function startRefiner(options: RefinerOptions): Refiner {
  return new PeriodicRefiner(options)
}

class PeriodicRefiner implements Refiner {
  readonly #options: RefinerOptions
  readonly #intervalMs: number
  readonly #now: () => number
  #timer: NodeJS.Timeout
  #running: Promise<RefineResult> | null = null
  #wholeAtMs = Number.NEGATIVE_INFINITY
  #maintainedAtMs: number
  /** A round that the timer began, with its checks. */
  #ticking: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: RefinerOptions) {
    this.#options = options
    this.#intervalMs = options.intervalMs ?? 5_000
    this.#now = options.now ?? Date.now
    this.#maintainedAtMs = this.#now()
    this.#timer = this.#tickAfter(this.#intervalMs)
  }

  async refineNow(): Promise<RefineResult> {
    await this.#running?.catch(() => {})
    return this.#run(true)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running?.catch(() => {})
    await this.#ticking
  }

  #tickAfter(waitMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#ticking = this.#tick()
    }, waitMs)
  }

  async #tick(): Promise<void> {
    const startedAtMs = this.#now()
    if (this.#options.isDue?.() !== false) await this.#refineByClock(startedAtMs)
    if (this.#isStopped) return
    const waitMs = Math.max(this.#intervalMs, 2 * (this.#now() - startedAtMs))
    this.#timer = this.#tickAfter(waitMs)
  }

  async #refineByClock(nowMs: number): Promise<void> {
    const isWhole = nowMs - this.#wholeAtMs >= (this.#options.wholeIntervalMs ?? 60_000)
    await this.#run(isWhole).catch((error: unknown) => this.#options.onFault?.(error))
    if (isWhole && !this.#isStopped) await this.#check()
  }

  /** What fails is seen in `gold.quality_results`; what cannot be checked is told, and stops nothing. */
  async #check(): Promise<void> {
    const { lake, onFault } = this.#options
    const options = { now: this.#now, ...(onFault === undefined ? {} : { onFault }) }
    await checkQuality(lake, options).catch((error: unknown) => onFault?.(error))
  }

  #run(isWhole: boolean): Promise<RefineResult> {
    this.#running ??= this.#refine(isWhole).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #refine(isWhole: boolean): Promise<RefineResult> {
    const { lake, historyMs, compute } = this.#options
    const result = await refine(lake, { compute, ...(isWhole ? {} : { gold: GOLD_BY_DATE }) })
    if (isWhole) this.#wholeAtMs = this.#now()
    if (this.#now() - this.#maintainedAtMs > MAINTENANCE_INTERVAL_MS) {
      this.#maintainedAtMs = this.#now()
      await maintain(lake, { historyMs, now: this.#now })
    }
    return result
  }
}
