import type { Interactions, Model, Split } from '@arus/recommenders'
import { type ExecutionProgress, SparkError } from '@arus/spark-connect'
import type { SparkCompute } from '../compute/spark-compute.ts'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import { searchSparkAls } from './search-spark-als.ts'
import { fitSparkAls, type SparkRatings, sendRatings } from './spark-als.ts'
import type { SparkAlsOptions } from './spark-als-options.ts'

/** A fit that takes longer is given up: Spark has no room for it. */
const FIT_MINUTES_MAX = 30
/** Spark tells whole stack traces. */
const PROBLEM_LENGTH_MAX = 300

export interface SparkTrainerOptions {
  readonly onProgress: OnProgress
  /** Ends a fit, on Spark too. */
  readonly signal: AbortSignal
}

/**
 * Fits models on Spark for one training or evaluation. Nothing rests on Spark: from its first failure on nothing is asked of it any more,
 * each fit gives null, and `problem` says why.
 */
export class SparkTrainer {
  readonly #compute: SparkCompute
  readonly #options: SparkTrainerOptions
  #ratings: SparkRatings | null = null
  #problem: string | null = null
  /** Of the fits before. */
  #taskCount = 0

  constructor(compute: SparkCompute, options: SparkTrainerOptions) {
    this.#compute = compute
    this.#options = options
  }

  /** What went wrong, in words of what to do; null while nothing did. */
  get problem(): string | null {
    return this.#problem
  }

  /** Options chosen on validation data; null where Spark is away. */
  search(validation: Split): Promise<SparkAlsOptions | null> {
    const fit = (interactions: Interactions, options: SparkAlsOptions) => this.fit(interactions, options)
    return searchSparkAls(fit, validation, this.#options.signal)
  }

  /** Null where Spark is away. Throws the reason of an aborted signal. */
  async fit(interactions: Interactions, options: SparkAlsOptions): Promise<Model | null> {
    if (this.#problem !== null) return null
    const { signal: stop, onProgress } = this.#options
    const tooLong = AbortSignal.timeout(FIT_MINUTES_MAX * 60_000)
    const signal = AbortSignal.any([stop, tooLong])
    const before = this.#taskCount
    const report = ({ completedTaskCount }: Pick<ExecutionProgress, 'completedTaskCount'>) => {
      this.#taskCount = before + completedTaskCount
      // How many there will be Spark knows only for the job at hand.
      onProgress({ step: 'Fitting on Spark', done: this.#taskCount, total: null, unit: 'tasks' })
    }
    report({ completedTaskCount: 0 })
    try {
      const session = await this.#compute.session()
      if (this.#ratings?.interactions !== interactions)
        this.#ratings = await sendRatings(session, interactions, { signal })
      return await fitSparkAls(session, this.#ratings, { ...options, signal, onProgress: report })
    } catch (error) {
      stop.throwIfAborted()
      this.#problem = tooLong.aborted ? `a fit took longer than ${FIT_MINUTES_MAX} minutes` : problemOf(error)
      return null
    }
  }
}

/** In a line. Throws what is no failure of Spark. */
function problemOf(error: unknown): string {
  if (!(error instanceof SparkError)) {
    if (error instanceof ArusError) return error.message
    throw error
  }
  const what = error.message.split('\n', 1)[0]!.slice(0, PROBLEM_LENGTH_MAX)
  return `${what}. ${error.advice}`
}
