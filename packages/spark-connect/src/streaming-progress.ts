/** What one batch of a stream did, as Spark's JSON of `StreamingQueryProgress` says it. Numbers of rows are of this batch. */
export interface StreamingQueryProgress {
  readonly id: string
  readonly runId: string
  readonly name: string | null
  /** ISO 8601, when the batch began. */
  readonly timestamp: string
  readonly batchId: number
  readonly batchDuration: number
  /** Of phases, by their names, in milliseconds. */
  readonly durationMs: Readonly<Record<string, number>>
  readonly eventTime?: Readonly<Record<string, string>>
  readonly stateOperators: readonly Readonly<Record<string, unknown>>[]
  /** A figure that is not known yet is left out. */
  readonly sources: readonly StreamingSourceProgress[]
  readonly sink: {
    readonly description: string
    /** -1 when the sink does not say. */
    readonly numOutputRows: number
  }
}

export interface StreamingSourceProgress {
  readonly description: string
  /** Offsets are the source's own JSON; of Kafka, offsets by topic and partition. */
  readonly startOffset: unknown
  readonly endOffset: unknown
  readonly latestOffset: unknown
  readonly numInputRows: number
  readonly inputRowsPerSecond?: number
  readonly processedRowsPerSecond?: number
  /** Of Kafka: `maxOffsetsBehindLatest` and others, as text. */
  readonly metrics?: Readonly<Record<string, string>>
}
