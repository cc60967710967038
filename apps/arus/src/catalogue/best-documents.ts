/** A document and what it earned. */
export interface ScoredDocument {
  readonly document: number
  readonly score: number
}

/** Beyond this many wanted, all are kept and sorted once: insertion would cost the square. */
const INSERTION_MAX = 256

/**
 * Keeps the `capacity` best scored documents; among equals the one with the lower number, the better known, wins. Offers
 * must be bounded by the caller when `capacity` is large.
 */
export class BestDocuments {
  readonly #capacity: number
  readonly #isSorted: boolean
  readonly #found: ScoredDocument[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#isSorted = capacity <= INSERTION_MAX
  }

  offer(document: number, score: number): void {
    const found = this.#found
    const offered = { document, score }
    if (!this.#isSorted) {
      found.push(offered)
      return
    }
    if (found.length === this.#capacity && (this.#capacity === 0 || order(offered, found.at(-1)!) > 0)) return
    let at = found.length
    while (at > 0 && order(offered, found[at - 1]!) < 0) at--
    found.splice(at, 0, offered)
    if (found.length > this.#capacity) found.pop()
  }

  /** Best first, from `offset` on. */
  list(offset = 0): ScoredDocument[] {
    const sorted = this.#isSorted ? this.#found : this.#found.toSorted(order)
    return sorted.slice(offset, this.#capacity)
  }
}

function order(left: ScoredDocument, right: ScoredDocument): number {
  return right.score - left.score || left.document - right.document
}
