import type { Experiment } from './experiment.ts'
import type { ExperimentStore } from './experiment-store.ts'
import type { ExperimentResults } from './results.ts'

/** How often experiments that may stop by themselves are looked at. */
const INTERVAL_MS = 60_000

export interface ExperimentWatchOptions {
  readonly store: Pick<ExperimentStore, 'running' | 'stop'>
  readonly resultsOf: (experiment: Experiment) => Promise<ExperimentResults>
  /** Told of an experiment that was stopped. */
  readonly onStop: (experiment: Experiment) => Promise<void>
  readonly onFault: (error: unknown) => void
  readonly intervalMs?: number
}

/** Stops experiments with `auto_stop` in which a variant is worse or breaks a guardrail. */
export class ExperimentWatch {
  readonly #options: ExperimentWatchOptions
  #timer: NodeJS.Timeout | null = null
  #checking: Promise<void> = Promise.resolve()

  constructor(options: ExperimentWatchOptions) {
    this.#options = options
  }

  start(): void {
    const timer = setTimeout(async () => {
      await this.check()
      if (this.#timer === timer) this.start()
    }, this.#options.intervalMs ?? INTERVAL_MS)
    timer.unref()
    this.#timer = timer
  }

  /** Looks at all of them once. One that cannot be looked at is reported, and goes on. */
  check(): Promise<void> {
    this.#checking = this.#checking.then(() => this.#checkAll()).catch(this.#options.onFault)
    return this.#checking
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#checking
  }

  async #checkAll(): Promise<void> {
    const { store, resultsOf, onStop, onFault } = this.#options
    for (const experiment of await store.running()) {
      if (!experiment.auto_stop) continue
      try {
        const { judgement } = await resultsOf(experiment)
        const worse = judgement?.comparisons.find(({ verdict }) => verdict === 'worse')
        if (judgement === null || worse === undefined) continue
        const stop_reason = `Stopped by itself: ${worse.reasons.join(' ')}`
        await onStop(await store.stop(experiment.id, { stop_reason, verdict: judgement.verdict }))
      } catch (error) {
        onFault(error)
      }
    }
  }
}
