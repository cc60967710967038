import { BestDocuments } from './best-documents.ts'
import { type DocumentCursor, ListCursor, NO_MORE, TermCursor, UnionCursor } from './posting-cursor.ts'
import type { TextIndex } from './text-index.ts'
import { tokens } from './tokenizer.ts'

/** Candidates looked at per query; the best known products come first, so these are the ones a cut keeps. */
export const CANDIDATES_MAX = 40_000
const QUERY_TOKENS_MAX = 12
const PREFIX_TERMS_MAX = 6
const PREFIX_SCAN_MAX = 4096
const PREFIX_LENGTH_MIN = 2
/** Words a shopper types without meaning that a title must hold them; asked for only when nothing else is. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  'a an and at by for from in is it of on or that the this to with'.split(' '),
)
/** A word that only begins as typed counts less than the word itself, however rare it is. */
const PREFIX_BOOST = 0.7

export interface TextQuery {
  readonly text: string
  readonly limit: number
  readonly offset: number
  /** Only these documents, in order; null for all. */
  readonly within: Uint32Array | null
  readonly accepts: (document: number) => boolean
}

export interface TextHits {
  readonly total: number
  readonly totalIsExact: boolean
  readonly hits: readonly { readonly document: number; readonly score: number }[]
}

/**
 * Documents holding every word of the query (the last one may be the beginning of a word), by BM25. Where none holds all,
 * those that lack one word; where none does either, those of the rarest word: an unknown word never empties the answer.
 * At most `CANDIDATES_MAX` documents are looked at, best known first; when that cut any off, `totalIsExact` is false.
 */
export function searchText(index: TextIndex, query: TextQuery): TextHits {
  const words = queryWords(index, query.text)
  const walk = new BoundedWalk(query)
  if (words.length > 0) walk.conjunction(words)
  if (walk.total === 0 && words.length > 1) {
    for (const left of words) walk.conjunction(words.filter((word) => word !== left))
  }
  if (walk.total === 0 && words.length > 2) walk.conjunction(words.slice(0, 1))
  return { total: walk.total, totalIsExact: walk.isExact, hits: walk.best.list(query.offset) }
}

type OpenCursor = () => DocumentCursor

/** A way to open a cursor for each known word, rarest first: the first is the first to be given up. */
function queryWords(index: TextIndex, text: string): OpenCursor[] {
  const typed = [...new Set(tokens(text))]
  const telling = typed.filter((token) => !FUNCTION_WORDS.has(token))
  const unique = (telling.length > 0 ? telling : typed).slice(0, QUERY_TOKENS_MAX)
  const lastIsOpen = /[\p{L}\p{N}\p{M}]$/u.test(text)
  return unique
    .map((token, position) =>
      wordCursor(index, token, lastIsOpen && position === unique.length - 1 && token === typed.at(-1)),
    )
    .filter((word) => word !== null)
    .sort((a, b) => a.cost - b.cost)
    .map(({ open }) => open)
}

function wordCursor(
  index: TextIndex,
  token: string,
  isPrefix: boolean,
): { cost: number; open: OpenCursor } | null {
  const exact = index.find(token)
  const longer =
    isPrefix && token.length >= PREFIX_LENGTH_MIN
      ? index.withPrefix(token, PREFIX_TERMS_MAX, PREFIX_SCAN_MAX).filter((term) => term !== exact)
      : []
  const terms = exact >= 0 ? [exact, ...longer] : longer
  if (terms.length === 0) return null
  const cost = terms.reduce((sum, term) => sum + index.documentFrequency(term), 0)
  const idfMax = index.idf(terms[0]!)
  const openTerm = (term: number) =>
    new TermCursor(
      index,
      term,
      term === exact ? index.idf(term) : PREFIX_BOOST * Math.min(idfMax, index.idf(term)),
    )
  return {
    cost,
    open: terms.length === 1 ? () => openTerm(terms[0]!) : () => new UnionCursor(terms.map(openTerm)),
  }
}

/** Walks documents that stand in several cursors, and stops at the bound shared by all its walks. */
class BoundedWalk {
  readonly best: BestDocuments
  total = 0
  isExact = true
  readonly #query: TextQuery
  #looked = 0

  constructor(query: TextQuery) {
    this.#query = query
    this.best = new BestDocuments(query.offset + query.limit)
  }

  /** Collects the documents of all `words`. Walks of one query must not find the same document twice. */
  conjunction(words: readonly OpenCursor[]): void {
    const { within, accepts } = this.#query
    const scored = words.map((open) => open())
    const filter = within === null ? [] : [new ListCursor(within)]
    const [lead, ...others] = [...scored, ...filter].sort((a, b) => a.cost - b.cost)
    let document = lead!.document()
    for (; document !== NO_MORE && this.#looked < CANDIDATES_MAX; this.#looked++) {
      const next = firstBeyond(others, document)
      if (next === document) {
        if (accepts(document)) this.#collect(document, scored)
        document = lead!.seek(document + 1)
      } else {
        document = next === NO_MORE ? NO_MORE : lead!.seek(next)
      }
    }
    if (document !== NO_MORE) this.isExact = false
  }

  #collect(document: number, scored: readonly DocumentCursor[]): void {
    let score = 0
    for (const cursor of scored) score += cursor.score()
    this.total++
    this.best.offer(document, score)
  }
}

/** `document` when all cursors stand on it, else the first document beyond it that one of them offers. */
function firstBeyond(cursors: readonly DocumentCursor[], document: number): number {
  for (const cursor of cursors) {
    const at = cursor.document() < document ? cursor.seek(document) : cursor.document()
    if (at !== document) return at
  }
  return document
}
