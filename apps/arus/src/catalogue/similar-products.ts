import { BestDocuments } from './best-documents.ts'
import type { TextIndex } from './text-index.ts'
import { POSTING_SHIFT } from './text-index-builder.ts'
import { tokens } from './tokenizer.ts'

/** What of the catalogue `SimilarProducts` reads, by document. */
export interface SimilarSource {
  readonly index: TextIndex
  /** Category position by document; 0xffff for none. */
  readonly categoryOf: Uint16Array
  /** Price by document; NaN for none. */
  readonly priceOf: Float64Array
  /** The documents of a category, best known first. */
  ofCategory(categoryIndex: number): Uint32Array
}

const TERMS_MAX = 8
const POSTINGS_PER_TERM_MAX = 4000
const NEIGHBOURS_PER_CATEGORY_MAX = 400
const NO_CATEGORY = 0xffff
const TITLE_WEIGHT = 0.65
const CATEGORY_WEIGHT = 0.25
const PRICE_WEIGHT = 0.1

/**
 * Finds products like another by content. Score, 0 to 1: 0.65 × the share (by idf) of its rarest eight title terms the
 * other has, + 0.25 when of one category, + 0.1 × lower price / higher price. Bounded: the first 4,000 products of
 * each term and the first 400 of the category, best known first. Scratch memory: 4 bytes a product, kept.
 */
export class SimilarProducts {
  readonly #source: SimilarSource
  readonly #shared: Float32Array
  readonly #touched = new Uint32Array(TERMS_MAX * POSTINGS_PER_TERM_MAX + NEIGHBOURS_PER_CATEGORY_MAX)

  constructor(source: SimilarSource) {
    this.#source = source
    this.#shared = new Float32Array(source.index.documentCount)
  }

  /** The `limit` best, without `document` itself. `text` is its title and category name. */
  find(document: number, text: string, limit: number): { document: number; score: number }[] {
    const { index } = this.#source
    const terms = rarestTerms(index, text)
    const idfSum = terms.reduce((sum, term) => sum + index.idf(term), 0)
    let touchedCount = 0
    for (const term of terms) touchedCount = this.#walkTerm(term, touchedCount)
    touchedCount = this.#walkCategory(document, touchedCount)
    const best = new BestDocuments(limit)
    for (let i = 0; i < touchedCount; i++) {
      const other = this.#touched[i]!
      if (other !== document) best.offer(other, this.#score(document, other, idfSum))
      this.#shared[other] = 0
    }
    return best.list()
  }

  #walkTerm(term: number, touchedCount: number): number {
    const postings = this.#source.index.postings(term)
    const idf = this.#source.index.idf(term)
    const end = Math.min(postings.length, POSTINGS_PER_TERM_MAX)
    let count = touchedCount
    for (let i = 0; i < end; i++) {
      const other = postings[i]! >>> POSTING_SHIFT
      if (this.#shared[other] === 0) this.#touched[count++] = other
      this.#shared[other]! += idf
    }
    return count
  }

  #walkCategory(document: number, touchedCount: number): number {
    const category = this.#source.categoryOf[document]!
    if (category === NO_CATEGORY) return touchedCount
    const neighbours = this.#source.ofCategory(category)
    const end = Math.min(neighbours.length, NEIGHBOURS_PER_CATEGORY_MAX)
    let count = touchedCount
    for (let i = 0; i < end; i++) {
      const other = neighbours[i]!
      if (this.#shared[other] === 0) this.#touched[count++] = other
    }
    return count
  }

  #score(document: number, other: number, idfSum: number): number {
    const { categoryOf, priceOf } = this.#source
    const category = categoryOf[document]!
    const isSameCategory = category !== NO_CATEGORY && category === categoryOf[other]
    const price = priceOf[document]!
    const otherPrice = priceOf[other]!
    const closeness =
      price > 0 && otherPrice > 0 ? Math.min(price, otherPrice) / Math.max(price, otherPrice) : 0
    const share = idfSum === 0 ? 0 : Math.min(1, this.#shared[other]! / idfSum)
    return TITLE_WEIGHT * share + (isSameCategory ? CATEGORY_WEIGHT : 0) + PRICE_WEIGHT * closeness
  }
}

function rarestTerms(index: TextIndex, text: string): number[] {
  return [...new Set(tokens(text))]
    .map((token) => index.find(token))
    .filter((term) => term >= 0 && index.documentFrequency(term) > 1)
    .sort((a, b) => index.documentFrequency(a) - index.documentFrequency(b))
    .slice(0, TERMS_MAX)
}
