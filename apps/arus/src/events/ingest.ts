/** Why one event of a request was refused. */
export interface EventError {
  /** Place in the request, from 0. */
  readonly index: number
  /** JSON Pointer (RFC 6901) inside the event. */
  readonly pointer: string
  readonly reason: string
}

/** The answer of `POST /stream/events`. `accepted + duplicates + rejected` is the number of events sent. */
export interface IngestResult {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
  readonly errors: readonly EventError[]
}

/** Takes raw events in. */
export interface Ingest {
  /**
   * Validates, de-duplicates and appends events; resolves when all accepted ones are durable, and when the
   * rejected ones are durable in the rejected topic. Throws `ArusError` `INGEST_OVERLOADED` (503) when too much is
   * in flight.
   */
  accept(events: readonly unknown[]): Promise<IngestResult>
  /** Appends resolved per second over the last 10 s. */
  eventsPerSecond(): number
}
