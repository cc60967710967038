/** Keeps the `capacity` best scored documents; among equals the one with the lower number, the better known, wins. */
export class BestDocuments {
  readonly #capacity: number
  readonly #documents: number[] = []
  readonly #scores: number[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  offer(document: number, score: number): void {
    const size = this.#documents.length
    if (size === this.#capacity && !this.#isBetter(document, score, size - 1)) return
    let at = this.#documents.length
    while (at > 0 && this.#isBetter(document, score, at - 1)) at--
    this.#documents.splice(at, 0, document)
    this.#scores.splice(at, 0, score)
    if (this.#documents.length > this.#capacity) {
      this.#documents.pop()
      this.#scores.pop()
    }
  }

  /** Best first, from `offset` on. */
  list(offset = 0): { readonly document: number; readonly score: number }[] {
    const found = []
    for (let i = offset; i < this.#documents.length; i++) {
      found.push({ document: this.#documents[i]!, score: this.#scores[i]! })
    }
    return found
  }

  #isBetter(document: number, score: number, at: number): boolean {
    const other = this.#scores[at]!
    return score > other || (score === other && document < this.#documents[at]!)
  }
}
