/** A request of a lane: the events `first` to `first + count - 1`. */
export interface SentRequest {
  readonly lane: string
  readonly first: number
  readonly count: number
  isAcknowledged: boolean
}

/** Every event of the run has a mark of its own, in `order_id`: `lane.number`. */
export function markOf(lane: string, number: number): string {
  return `${lane}.${number}`
}

/** What the clients sent and what they were told: the one side of every check. */
export class Ledger {
  /** Requests that were never answered; each is sent again after the restart. */
  readonly unanswered = new Map<string, SentRequest>()
  readonly #acknowledged = new Set<string>()
  #sent = 0
  #waiting: (() => void)[] = []
  /** Requests that the server said it could not take. */
  refused = 0
  /** What an answer said that it must not. */
  readonly wrong: string[] = []
  /** Recommendations and stream messages that came, as proof that there was mixed load. */
  readonly reads = { recommendations: 0, messages: 0 }

  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged
  }

  get sentCount(): number {
    return this.#sent
  }

  begin(lane: string, first: number, count: number): SentRequest {
    const request = { lane, first, count, isAcknowledged: false }
    this.unanswered.set(lane, request)
    this.#sent += count
    return request
  }

  acknowledge(request: SentRequest): void {
    request.isAcknowledged = true
    this.unanswered.delete(request.lane)
    for (let i = 0; i < request.count; i++) this.#acknowledged.add(markOf(request.lane, request.first + i))
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves at the next acknowledgement. */
  nextAcknowledgement(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
