import { setTimeout as sleep } from 'node:timers/promises'

const LANES = 4
const EVENTS = 25

/** Clients that send events, and send a request again until it is answered with 200. */
export class Load {
  readonly #apiUrl: () => string
  readonly #products: readonly string[]
  readonly #abort = new AbortController()
  readonly #lanes: Promise<void>[]
  /** Ids of events that were acknowledged. */
  readonly acknowledged = new Set<string>()
  /** `Retry-After` of answers 503. */
  readonly refusals: (string | null)[] = []
  /** Other answers. */
  readonly wrong: string[] = []
  #next = 0

  constructor(apiUrl: () => string, products: readonly string[]) {
    this.#apiUrl = apiUrl
    this.#products = products
    this.#lanes = Array.from({ length: LANES }, (_, lane) => this.#run(lane))
  }

  /** Resolves when so many more events were acknowledged. */
  async more(count: number, deadlineMs = 60_000): Promise<void> {
    const wanted = this.acknowledged.size + count
    await until(() => this.acknowledged.size >= wanted, deadlineMs)
  }

  /** Lets every client have its last answer. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#lanes)
  }

  async #run(lane: number): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const events = Array.from({ length: EVENTS }, (_, i) => ({
        event_id: `load-${this.#next++}`,
        user_id: `lane-${lane}-${i % 5}`,
        action: 'view',
        product_id: this.#products[i % this.#products.length],
      }))
      while (!(await this.#isTaken(events))) await sleep(100)
      for (const { event_id } of events) this.acknowledged.add(event_id)
    }
  }

  async #isTaken(events: readonly unknown[]): Promise<boolean> {
    try {
      const response = await fetch(`${this.#apiUrl()}/stream/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(events),
      })
      const text = await response.text()
      if (response.status === 503) this.refusals.push(response.headers.get('retry-after'))
      else if (response.status !== 200) this.wrong.push(`${response.status} ${text}`)
      return response.status === 200
    } catch {
      // The server was killed.
      return false
    }
  }
}

/** Waits until it is so; throws with the last thing it threw, or was, when the time is over. */
export async function until(isSo: () => boolean | Promise<boolean>, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${isSo}`)
    await sleep(100)
  }
}
