import type { IngestResult } from '../../src/events/ingest.ts'
import type { SentEvent } from './client.ts'
import type { Plan } from './plan.ts'
import { type Scheduler, WORLD } from './scheduler.ts'
import type { SimulatedArus } from './simulated-arus.ts'

const DELAY_MS_MAX = 30
const SECOND_DELAY_MS_MAX = 3_000
const TIMEOUT_MS = 1_500

/** Between clients and the server: slow, lossy, and now and then it delivers twice. */
export class Network {
  readonly #scheduler: Scheduler
  readonly #arus: SimulatedArus
  readonly #plan: Plan

  constructor(scheduler: Scheduler, arus: SimulatedArus, plan: Plan) {
    this.#scheduler = scheduler
    this.#arus = arus
    this.#plan = plan
  }

  /** The answer; null when none came in time. */
  send(events: readonly SentEvent[]): Promise<IngestResult | Error | null> {
    const { random } = this.#scheduler
    return new Promise((resolve) => {
      const timeout = this.#scheduler.schedule(TIMEOUT_MS, 'no answer', () => resolve(null), WORLD)
      const answered = (answer: IngestResult | Error): void => {
        if (random.next() < this.#plan.lossShare) return
        const delayMs = random.next() * DELAY_MS_MAX
        this.#scheduler.schedule(
          delayMs,
          'answer',
          () => {
            this.#scheduler.cancel(timeout)
            resolve(answer)
          },
          WORLD,
        )
      }
      if (random.next() >= this.#plan.lossShare) this.#deliver(events, DELAY_MS_MAX, answered)
      if (random.next() < this.#plan.doubleShare) this.#deliver(events, SECOND_DELAY_MS_MAX, () => {})
    })
  }

  #deliver(
    events: readonly SentEvent[],
    delayMsMax: number,
    answered: (answer: IngestResult | Error) => void,
  ): void {
    const delayMs = this.#scheduler.random.next() * delayMsMax
    this.#scheduler.schedule(
      delayMs,
      'arrives',
      () => {
        if (!this.#arus.handle(events, answered)) answered(new Error('connection refused'))
      },
      WORLD,
    )
  }
}
