/** How far long work has come. */
export interface ProgressReport {
  /** What is being done, in words for a person: "Reading products.csv". */
  readonly step: string
  readonly done: number
  /** Null when the end is not known. */
  readonly total: number | null
  /** What is counted: `rows`, `events`, `bytes`. */
  readonly unit: string
}

/** Called often; the receiver decides how much to show. */
export type OnProgress = (report: ProgressReport) => void
