import { setImmediate } from 'node:timers/promises'
import type { Passport } from '../recommend/passport/passport.ts'
import type { AnswerAgain } from '../recommend/recommender-options.ts'
import { overlap, rankAgreement } from './compare-rankings.ts'
import type { Shadow } from './running-experiments.ts'
import type { ShadowAnswer } from './treatment.ts'

export interface ShadowQueueOptions {
  readonly shadowsOf: (recommendationId: string, scenario: string) => readonly Shadow[]
  /** Told of every passport, once its shadows have answered. */
  readonly onPassport: (passport: Passport) => void
  readonly onFault: (error: unknown) => void
  /** Answers waiting for their shadows at most; the shadows of more are dropped and counted. Default 100. */
  readonly queueLimit?: number
}

interface Task {
  readonly passport: Passport
  readonly again: AnswerAgain
  readonly shadows: readonly Shadow[]
  readonly done: PromiseWithResolvers<void>
}

/** Milliseconds and shares are kept to one part in so many. */
const PRECISION = 1_000

/**
 * Lets models in the shadow answer what was answered already, one at a time, with requests taking their turns between: the response
 * is on its way by then. A passport waits for its shadows; under load it goes on without them.
 */
export class ShadowQueue {
  readonly #options: ShadowQueueOptions
  readonly #queueLimit: number
  readonly #queue: Task[] = []
  #droppedCount = 0

  constructor(options: ShadowQueueOptions) {
    this.#options = options
    this.#queueLimit = options.queueLimit ?? 100
  }

  /** Shadow answers that were not computed, because too many answers were waiting or the model threw. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  take(passport: Passport, again: AnswerAgain): void {
    const shadows = this.#options.shadowsOf(passport.recommendation_id, passport.scenario)
    const isFull = this.#queue.length >= this.#queueLimit
    if (shadows.length === 0 || isFull) {
      this.#droppedCount += shadows.length
      this.#options.onPassport(passport)
      return
    }
    this.#queue.push({ passport, again, shadows, done: Promise.withResolvers() })
    if (this.#queue.length === 1) void this.#work()
  }

  /** The passport of an answer whose shadows are not done. */
  waiting(recommendationId: string): Passport | undefined {
    return this.#queue.find(({ passport }) => passport.recommendation_id === recommendationId)?.passport
  }

  /** Resolves when every passport taken before has been passed on. */
  async flush(): Promise<void> {
    await this.#queue.at(-1)?.done.promise
  }

  async #work(): Promise<void> {
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      await setImmediate()
      const shadows: ShadowAnswer[] = []
      for (const shadow of task.shadows) {
        try {
          shadows.push(await answerOf(shadow, task))
        } catch (error) {
          this.#droppedCount += 1
          this.#options.onFault(error)
        }
      }
      this.#queue.shift()
      this.#options.onPassport({ ...task.passport, shadows })
      task.done.resolve()
    }
  }
}

async function answerOf({ id, variant, model }: Shadow, { passport, again }: Task): Promise<ShadowAnswer> {
  const { products, fallback, took_ms } = await again(model)
  const shown = passport.result.map(({ product_id }) => product_id)
  const rounded = (value: number) => Math.round(value * PRECISION) / PRECISION
  return {
    id,
    variant,
    model_version: model.version,
    products,
    fallback,
    took_ms,
    overlap: rounded(overlap(shown, products)),
    rank_agreement: rounded(rankAgreement(shown, products)),
  }
}
