import type { IngestResult } from '../../src/events/ingest.ts'
import type { Ledger } from './ledger.ts'
import type { Network } from './network.ts'
import type { Plan } from './plan.ts'
import { type Scheduler, WORLD } from './scheduler.ts'

/** What a client sends of one event; `id` is its `event_id`. */
export interface SentEvent {
  readonly event_id: string
  readonly action: string
  readonly [field: string]: unknown
}

const BACKOFF_MS_MAX = 400
const PAUSE_MS_MAX = 120
const SHOPPERS = 3
const SPLIT_SHARE = 0.3
const INVALID_SHARE = 0.03
const TWICE_IN_BATCH_SHARE = 0.05
const SKEW_MS_MAX = 2 * 3_600_000
const ACTIONS = ['view', 'click', 'add_to_cart', 'purchase', 'search'] as const

/** Sends requests one after the other, each again and again until it is answered; some once more after that. */
export class Client {
  readonly #number: number
  readonly #scheduler: Scheduler
  readonly #network: Network
  readonly #ledger: Ledger
  readonly #plan: Plan
  readonly #skewMs: number
  #events = 0

  constructor(
    number: number,
    {
      scheduler,
      network,
      ledger,
      plan,
    }: {
      readonly scheduler: Scheduler
      readonly network: Network
      readonly ledger: Ledger
      readonly plan: Plan
    },
  ) {
    this.#number = number
    this.#scheduler = scheduler
    this.#network = network
    this.#ledger = ledger
    this.#plan = plan
    const { random } = scheduler
    this.#skewMs = random.next() < 0.3 ? Math.floor((random.next() * 2 - 1) * SKEW_MS_MAX) : 0
  }

  async run(): Promise<void> {
    const { random } = this.#scheduler
    const repeats: Promise<void>[] = []
    for (let n = 0; n < this.#plan.requestsPerClient; n++) {
      const events = this.#request()
      this.#ledger.sent(events)
      this.#ledger.acknowledged(events, await this.#untilAnswered(events))
      if (random.next() < this.#plan.repeatShare) repeats.push(this.#again(events))
      await this.#pause(PAUSE_MS_MAX)
    }
    await Promise.all(repeats)
  }

  /** As a queue in a page does it: what was not answered may come again in other batches. */
  async #untilAnswered(events: readonly SentEvent[]): Promise<IngestResult> {
    for (;;) {
      const answer = await this.#network.send(events)
      if (answer !== null && !(answer instanceof Error)) return answer
      await this.#pause(BACKOFF_MS_MAX)
      if (events.length < 2 || this.#scheduler.random.next() >= SPLIT_SHARE) continue
      const at = 1 + this.#scheduler.random.below(events.length - 1)
      return sumOf(
        await this.#untilAnswered(events.slice(0, at)),
        await this.#untilAnswered(events.slice(at)),
      )
    }
  }

  async #again(events: readonly SentEvent[]): Promise<void> {
    await this.#pause(3 * BACKOFF_MS_MAX)
    const answer = await this.#network.send(events)
    if (answer !== null && !(answer instanceof Error)) this.#ledger.repeated(events, answer)
  }

  #pause(maxMs: number): Promise<void> {
    return this.#scheduler.pause(maxMs, `client ${this.#number}`, WORLD)
  }

  #request(): SentEvent[] {
    const { random } = this.#scheduler
    const events = Array.from({ length: 1 + random.below(this.#plan.eventsPerRequestMax) }, () =>
      this.#event(),
    )
    const [first] = events
    return first !== undefined && random.next() < TWICE_IN_BATCH_SHARE ? [...events, first] : events
  }

  #event(): SentEvent {
    const { random } = this.#scheduler
    const event_id = `c${this.#number}-${this.#events++}`
    const shopper = `s${this.#number}-${random.below(SHOPPERS)}`
    const kind = random.next()
    const isPoison = random.next() < this.#plan.poisonShare
    const action = isPoison ? 'purchase' : ACTIONS[random.below(ACTIONS.length)]!
    return {
      event_id,
      // A shopper is always named in the same way, or would be another.
      ...(shopper.endsWith('0') ? { anonymous_id: shopper } : { user_id: shopper }),
      ...(kind < 0.3 ? { session_id: `session-${shopper}` } : {}),
      action: random.next() < INVALID_SHARE ? 'NOT AN ACTION' : action,
      product_id: `P${random.below(5)}`,
      ts: Math.floor(this.#scheduler.nowMs) + this.#skewMs - random.below(2_000),
      price: isPoison ? 1e12 : random.below(10_000) / 100,
      quantity: 1 + random.below(3),
    }
  }
}

function sumOf(a: IngestResult, b: IngestResult): IngestResult {
  return {
    accepted: a.accepted + b.accepted,
    duplicates: a.duplicates + b.duplicates,
    rejected: a.rejected + b.rejected,
    errors: [],
  }
}
