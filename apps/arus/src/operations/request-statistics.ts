/** HTTP figures of the recent past. */
export interface RequestFigures {
  readonly requestsPerSecond: number
  readonly latencyMsP50: number | null
  readonly latencyMsP99: number | null
  readonly errorsPerMinute: number
}

const WINDOW_SECONDS = 60
const RATE_SECONDS = 10
const SAMPLE_LIMIT = 4_096

/** Counts requests per second of the last minute and keeps a ring of the newest latencies. Memory is constant. */
export class RequestStatistics {
  readonly #now: () => number
  readonly #seconds = new Float64Array(WINDOW_SECONDS)
  readonly #requests = new Uint32Array(WINDOW_SECONDS)
  readonly #errors = new Uint32Array(WINDOW_SECONDS)
  readonly #latenciesMs = new Float64Array(SAMPLE_LIMIT)
  #sampleCount = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** A request was answered; statuses from 500 count as errors. */
  record(latencyMs: number, status: number): void {
    const second = Math.floor(this.#now() / 1000)
    const slot = second % WINDOW_SECONDS
    if (this.#seconds[slot] !== second) {
      this.#seconds[slot] = second
      this.#requests[slot] = 0
      this.#errors[slot] = 0
    }
    this.#requests[slot]! += 1
    if (status >= 500) this.#errors[slot]! += 1
    this.#latenciesMs[this.#sampleCount % SAMPLE_LIMIT] = latencyMs
    this.#sampleCount += 1
  }

  figures(): RequestFigures {
    const second = Math.floor(this.#now() / 1000)
    let recent = 0
    let errors = 0
    for (let slot = 0; slot < WINDOW_SECONDS; slot++) {
      const age = second - this.#seconds[slot]!
      if (age >= 1 && age <= RATE_SECONDS) recent += this.#requests[slot]!
      if (age < WINDOW_SECONDS) errors += this.#errors[slot]!
    }
    const sorted = this.#latenciesMs.slice(0, Math.min(this.#sampleCount, SAMPLE_LIMIT)).sort()
    return {
      requestsPerSecond: recent / RATE_SECONDS,
      latencyMsP50: quantile(sorted, 0.5),
      latencyMsP99: quantile(sorted, 0.99),
      errorsPerMinute: errors,
    }
  }
}

function quantile(sorted: Float64Array, share: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
