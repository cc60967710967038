import type { ShopperNames } from '../events/shopper-names.ts'
import type { ProgressReport } from '../progress.ts'

/** What of a person stays after they were erased, and how long. */
export interface Remainder {
  /** Where, such as `log shop.events`, `bronze.removed_shoppers`. */
  readonly place: string
  /** What it is and why, for a person. */
  readonly what: string
  /** ISO 8601; null where it has no end. */
  readonly until: string | null
}

/** What came of erasing a person. Holds no name of theirs. */
export interface ErasureReport {
  /** Other names of theirs that were erased along: anonymous ids and sessions that were theirs alone. */
  readonly otherNames: number
  /** How many entries, rows or keys went, by place. */
  readonly removed: Readonly<Record<string, number>>
  readonly remains: readonly Remainder[]
  /** Model versions with their history in the training data, newest first. */
  readonly outdatedModels: readonly number[]
  /** The one of them that serves, until the next training round replaces it; null when none does. */
  readonly modelInService: number | null
}

/** What is kept of the work until it is done, so that it can be gone on with. */
export interface ErasureWork {
  readonly shopper: string
  /** Null until the lake was asked. */
  readonly names: ShopperNames | null
  /** The most that was found of them, by place. */
  readonly removed: Readonly<Record<string, number>>
  readonly remains: readonly Remainder[]
}

/** A request to forget somebody. */
export interface Erasure {
  readonly id: number
  /** UTC ms. */
  readonly requestedAt: number
  readonly finishedAt: number | null
  /** Null once it is done. */
  readonly work: ErasureWork | null
  readonly progress: ProgressReport | null
  /** Why the last try failed; it is tried again. */
  readonly failure: string | null
  readonly report: ErasureReport | null
}
