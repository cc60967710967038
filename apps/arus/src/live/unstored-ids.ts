/** Where an event stands in the log, and when intake took it in. */
interface Applied {
  readonly partition: number
  readonly offset: number
  readonly receivedAtMs: number
}

/**
 * Ids of events that were applied, until the store stands beyond them. They outlive memory, which a commit that fails takes back:
 * what was applied once is in the log and will be applied again.
 *
 * Invariant: the id of each event that was ever applied since the start is here or in the store, never in neither. So whoever looks here
 * first and asks the store afterwards misses none, whatever fails in between. Holds as many as are applied and not stored.
 */
export class UnstoredIds {
  readonly #applied = new Map<string, Applied>()

  get size(): number {
    return this.#applied.size
  }

  add(eventId: string, applied: Applied): void {
    this.#applied.set(eventId, applied)
  }

  /** When intake took the event in, UTC ms; undefined where the store, or nothing, says it. */
  receivedAtMs(eventId: string): number | undefined {
    return this.#applied.get(eventId)?.receivedAtMs
  }

  /** The store stands for all before these offsets, by partition. */
  areStored(offsets: ReadonlyMap<number, number>): void {
    for (const [id, { partition, offset }] of this.#applied)
      if (offset < (offsets.get(partition) ?? 0)) this.#applied.delete(id)
  }

  /** They are as if they never came. */
  forget(eventIds: readonly string[]): void {
    for (const id of eventIds) this.#applied.delete(id)
  }
}
