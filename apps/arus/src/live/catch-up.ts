import type { EventLog } from '@arus/event-log'
import { ArusError } from '../errors.ts'

export interface CatchUpOptions {
  readonly log: EventLog
  readonly topic: string
  /** Where live state stands, by partition. */
  readonly applied: ReadonlyMap<number, number>
  readonly waitFor: (partition: number, offset: number, timeoutMs: number) => Promise<boolean>
  readonly msMax: number
  readonly onFault: (error: unknown) => void
}

/** How far live state is behind what the log held when it began. */
export class CatchUp {
  readonly #options: CatchUpOptions
  #ends: ReadonlyMap<number, number> = new Map()

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** From here on it is about what the log holds now. */
  async begin(): Promise<void> {
    const { log, topic } = this.#options
    const { partitions } = await log.topic(topic)
    this.#ends = new Map(partitions.map(({ partition, endOffset }) => [partition, endOffset]))
  }

  /** Entries still to apply. */
  get behind(): number {
    let entries = 0
    for (const [partition, endOffset] of this.#ends)
      entries += Math.max(0, endOffset - (this.#options.applied.get(partition) ?? 0))
    return entries
  }

  /** Resolves true when all of it is applied; false, and says so, when that takes too long. */
  async wait(): Promise<boolean> {
    const { waitFor, msMax, onFault } = this.#options
    const waits = Array.from(this.#ends, ([partition, endOffset]) => waitFor(partition, endOffset - 1, msMax))
    if ((await Promise.all(waits)).every((isApplied) => isApplied)) return true
    onFault(
      new ArusError(
        'NOT_READY',
        `live state has ${this.behind} entries of the log still to apply after ${msMax / 1000} s: its figures are old until then`,
      ),
    )
    return false
  }
}
