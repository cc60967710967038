import { doesCount } from '../confidence.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from '../model.ts'
import { type FileParts, modelFile } from '../model-file.ts'
import { filterOf, TopK } from '../top-k.ts'
import { selectFirst } from './select-first.ts'
import { indexSections, newestOfEachItem, type SessionIndex } from './session-index.ts'

/** How a model of session neighbours weighs; `vmis-knn.ts` and `vstan.ts` have the formulas. */
export interface SessionWeighting {
  /** Neighbours that score: k. */
  readonly neighbourCount: number
  /** Newest sessions that are compared: m. */
  readonly sampleSize: number
  /** Newest events of the session at hand that count. */
  readonly historyCount: number
  /** Weight in the similarity of the session's event at `place`, 0 the newest, of `length`. */
  readonly similarityAt: (place: number, length: number) => number
  /** Weight of a neighbour whose newest common item is at `place` of the session at hand. */
  readonly matchAt: (place: number) => number
  /** Factor of the similarity of a past session by its number of distinct items. */
  readonly lengthFactor: (distinctItems: number) => number
  /** Days in which the similarity of a past session falls by e; none: it does not. */
  readonly ageDecayDays?: number
  /** Factor of a neighbour's item by its distance from the last common item there; none: 1. */
  readonly distanceFactor?: (distance: number) => number
  /** Factor of an item by its inverse document frequency. */
  readonly itemFactor: (idf: number) => number
}

const DISTANCES = 256
/** Less than this is nothing: keeps sums away from 0, which marks what was not met. */
const WEIGHT_MIN = 1e-30
/** The same for a product of several, at most e^-300 by age. */
const PRODUCT_MIN = 1e-200

/**
 * k nearest sessions: those that share items with the session at hand, the `sampleSize` newest of them, compared with it; each of the
 * nearest `neighbourCount` gives its items a score. A user's newest-first items are the session; of an item that is there several
 * times the newest event counts; items that no past session has are passed over. Ages are taken relative to the newest session
 * compared, since with exponential decay the time of asking is a factor of all scores alike. Scratch for answers takes 17 bytes a
 * session and 18 an item, and is allocated once.
 */
export class SessionKnnModel implements Model {
  readonly kind: string
  readonly #options: Readonly<Record<string, unknown>>
  readonly #index: SessionIndex
  readonly #weighting: SessionWeighting
  readonly #sessionFactors: Float64Array
  readonly #itemFactors: Float32Array
  readonly #distanceFactors: Float32Array | undefined
  readonly #matchFactors: Float32Array
  // Scratch of the answer being computed, all zero between answers.
  readonly #similarities: Float64Array
  readonly #scores: Float64Array
  /** Own place + 1 of items in the session at hand. */
  readonly #ownPlaces: Uint16Array
  /** Row + 1 of items whose parts are asked for. */
  readonly #rows: Uint32Array
  // Scratch that is written before it is read.
  readonly #matchPlaces: Uint8Array
  readonly #neighbours: Uint32Array
  readonly #touched: Uint32Array
  readonly #own: Own
  /** Set with the neighbours. */
  #scale = 1

  constructor(
    kind: string,
    options: Readonly<Record<string, unknown>>,
    index: SessionIndex,
    weighting: SessionWeighting,
  ) {
    this.kind = kind
    this.#options = options
    this.#index = index
    this.#weighting = weighting
    const { starts, ageDays, sessionCount, itemCount, idf } = index
    this.#sessionFactors = Float64Array.from(
      ageDays,
      (age, session) =>
        weighting.lengthFactor(starts[session + 1]! - starts[session]!) * this.#ageFactor(age),
    )
    this.#itemFactors = idf.map((value) => weighting.itemFactor(value))
    this.#matchFactors = Float32Array.from({ length: weighting.historyCount }, (_, n) => weighting.matchAt(n))
    const { distanceFactor } = weighting
    this.#distanceFactors = distanceFactor
      ? Float32Array.from({ length: DISTANCES }, (_, distance) => distanceFactor(distance))
      : undefined
    this.#similarities = new Float64Array(sessionCount)
    this.#matchPlaces = new Uint8Array(sessionCount)
    this.#neighbours = new Uint32Array(Math.min(sessionCount, weighting.sampleSize * weighting.historyCount))
    this.#scores = new Float64Array(itemCount)
    this.#ownPlaces = new Uint16Array(itemCount)
    this.#rows = new Uint32Array(itemCount)
    this.#touched = new Uint32Array(itemCount)
    this.#own = new Own(weighting.historyCount)
  }

  get itemCount(): number {
    return this.#index.itemCount
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const own = this.#readOwn(user)
    const neighbourCount = this.#findNeighbours(own)
    const touchedCount = this.#score(neighbourCount)
    const scores = this.#scores
    const factors = this.#itemFactors
    const isAllowed = filterOf(user.items, filter)
    const top = new TopK(Math.min(k, touchedCount))
    for (let n = 0; n < touchedCount; n++) {
      const item = this.#touched[n]!
      const score = scores[item]! * factors[item]!
      if (score > 0 && isAllowed(item)) top.offer(item, score)
      scores[item] = 0
    }
    this.#clear(own, neighbourCount)
    return top.result()
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    const alone = { items: Uint32Array.of(item), weights: Float32Array.of(1) }
    return this.recommend(alone, { k, filter: (other) => other !== item && filter(other) })
  }

  /** Sums to the item's score. */
  explain(user: UserItems, item: number): Float32Array {
    return Float32Array.from(this.#parts(user, Uint32Array.of(item)))
  }

  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const parts = this.#parts(user, items)
    const width = user.items.length
    const strongest = new Int32Array(items.length).fill(-1)
    for (let row = 0; row < items.length; row++) {
      let most = 0
      for (let n = 0; n < width; n++) {
        const part = parts[row * width + n]!
        if (part <= most) continue
        most = part
        strongest[row] = n
      }
    }
    return strongest
  }

  file(): FileParts {
    const index = newestOfEachItem(this.#index, this.#weighting.sampleSize)
    return modelFile(this.kind, this.#options, indexSections(index))
  }

  /** Distinct known items of the session, newest first, with their places. */
  #readOwn(user: UserItems): Own {
    const own = this.#own
    const { itemStarts, itemCount } = this.#index
    own.count = 0
    let place = 0
    for (let n = 0; n < user.items.length && place < this.#weighting.historyCount; n++) {
      const item = user.items[n]!
      if (item >= itemCount || itemStarts[item] === itemStarts[item + 1]) continue
      if (!(user.weights[n]! > 0 && doesCount(user.weights[n]!))) continue
      if (this.#ownPlaces[item] === 0) {
        this.#ownPlaces[item] = place + 1
        own.items[own.count] = item
        own.indices[own.count] = n
        own.places[own.count] = place
        own.weights[own.count] = user.weights[n]!
        own.atPlaces[place] = own.count
        own.count += 1
      }
      place += 1
    }
    for (let n = 0; n < own.count; n++) own.weights[n]! *= this.#weighting.similarityAt(own.places[n]!, place)
    return own
  }

  /** Leaves the neighbours' numbers in `#neighbours`, and their similarities and newest common places by number. */
  #findNeighbours(own: Own): number {
    const { itemStarts, itemSessions } = this.#index
    const { sampleSize, neighbourCount } = this.#weighting
    const similarities = this.#similarities
    const neighbours = this.#neighbours
    // The m newest sessions of one item are newer than this, so the m newest of all are.
    let oldest = this.#index.sessionCount
    for (let n = 0; n < own.count; n++) {
      const at = itemStarts[own.items[n]!]! + sampleSize - 1
      if (at < itemStarts[own.items[n]! + 1]!) oldest = Math.min(oldest, itemSessions[at]!)
    }
    let count = 0
    for (let n = 0; n < own.count; n++) {
      const weight = own.weights[n]!
      if (!(weight > WEIGHT_MIN)) continue
      const end = itemStarts[own.items[n]! + 1]!
      for (let at = itemStarts[own.items[n]!]!; at < end; at++) {
        const session = itemSessions[at]!
        if (session > oldest) break
        if (similarities[session] === 0) {
          neighbours[count++] = session
          this.#matchPlaces[session] = own.places[n]!
        }
        similarities[session]! += weight
      }
    }
    if (count > sampleSize) count = this.#keepFirst(count, sampleSize, (a, b) => a < b)
    this.#scale = this.#scaleFor(count)
    const factors = this.#sessionFactors
    for (let n = 0; n < count; n++) similarities[neighbours[n]!]! *= factors[neighbours[n]!]! * this.#scale
    if (count <= neighbourCount) return count
    return this.#keepFirst(
      count,
      neighbourCount,
      (a, b) => similarities[a]! > similarities[b]! || (similarities[a] === similarities[b] && a < b),
    )
  }

  /** What makes the newest session compared have no age. */
  #scaleFor(count: number): number {
    if (this.#weighting.ageDecayDays === undefined) return 1
    let newest = this.#index.sessionCount
    for (let n = 0; n < count; n++) newest = Math.min(newest, this.#neighbours[n]!)
    const factor = count === 0 ? 0 : this.#ageFactor(this.#index.ageDays[newest]!)
    return factor > 0 ? 1 / factor : 1
  }

  #ageFactor(ageDays: number): number {
    const { ageDecayDays } = this.#weighting
    return ageDecayDays === undefined ? 1 : Math.exp(-ageDays / ageDecayDays)
  }

  #keepFirst(count: number, kept: number, isBefore: (a: number, b: number) => boolean): number {
    selectFirst(this.#neighbours, count, kept, isBefore)
    for (let n = kept; n < count; n++) this.#similarities[this.#neighbours[n]!] = 0
    return kept
  }

  /** Adds up scores before the item's factor; returns how many items are in `#touched`. */
  #score(neighbourCount: number): number {
    const { starts, items, places, weights } = this.#index
    const scores = this.#scores
    const touched = this.#touched
    const distanceFactors = this.#distanceFactors
    let touchedCount = 0
    for (let n = 0; n < neighbourCount; n++) {
      const session = this.#neighbours[n]!
      const weight = this.#neighbourWeight(session)
      if (!(weight > PRODUCT_MIN)) continue
      const end = starts[session + 1]!
      const lastCommon = this.#lastCommonPlace(session)
      for (let at = starts[session]!; at < end; at++) {
        const factor =
          distanceFactors === undefined ? 1 : distanceFactors[Math.abs(places[at]! - lastCommon)]!
        if (!(factor > WEIGHT_MIN)) continue
        const item = items[at]!
        if (scores[item] === 0) touched[touchedCount++] = item
        scores[item]! += weight * factor * weights[at]!
      }
    }
    return touchedCount
  }

  #neighbourWeight(session: number): number {
    return this.#similarities[session]! * this.#matchFactors[this.#matchPlaces[session]!]!
  }

  #lastCommonPlace(session: number): number {
    if (this.#distanceFactors === undefined) return 0
    const { starts, items, places } = this.#index
    let at = starts[session + 1]! - 1
    while (this.#ownPlaces[items[at]!] === 0) at -= 1
    return places[at]!
  }

  #distanceFactorAt(at: number, lastCommon: number): number {
    if (this.#distanceFactors === undefined) return 1
    return this.#distanceFactors[Math.abs(this.#index.places[at]! - lastCommon)]!
  }

  #clear(own: Own, neighbourCount: number): void {
    for (let n = 0; n < neighbourCount; n++) this.#similarities[this.#neighbours[n]!] = 0
    for (let n = 0; n < own.count; n++) this.#ownPlaces[own.items[n]!] = 0
  }

  /** Parts of the scores by own event: a row for each of `wanted`, as wide as `user.items`. */
  #parts(user: UserItems, wanted: Uint32Array): Float64Array {
    const width = user.items.length
    const parts = new Float64Array(wanted.length * width)
    const rows = this.#rows
    for (let row = 0; row < wanted.length; row++) rows[wanted[row]!] = row + 1
    const own = this.#readOwn(user)
    const neighbourCount = this.#findNeighbours(own)
    const { starts, items, weights } = this.#index
    for (let n = 0; n < neighbourCount; n++) {
      const session = this.#neighbours[n]!
      const weight =
        this.#sessionFactors[session]! * this.#scale * this.#matchFactors[this.#matchPlaces[session]!]!
      const lastCommon = this.#lastCommonPlace(session)
      const commonCount = this.#findCommon(session)
      for (let at = starts[session]!; at < starts[session + 1]!; at++) {
        const row = rows[items[at]!]! - 1
        if (row < 0) continue
        const given =
          weight * this.#distanceFactorAt(at, lastCommon) * weights[at]! * this.#itemFactors[items[at]!]!
        for (let c = 0; c < commonCount; c++) {
          const o = own.common[c]!
          parts[row * width + own.indices[o]!]! += given * own.weights[o]!
        }
      }
    }
    for (let row = 0; row < wanted.length; row++) rows[wanted[row]!] = 0
    this.#clear(own, neighbourCount)
    return parts
  }

  /** Leaves in `common` which own items a past session has. */
  #findCommon(session: number): number {
    const own = this.#own
    const { starts, items } = this.#index
    let count = 0
    for (let at = starts[session]!; at < starts[session + 1]!; at++) {
      const place = this.#ownPlaces[items[at]!]!
      if (place > 0) own.common[count++] = own.atPlaces[place - 1]!
    }
    return count
  }
}

/** The session at hand: parallel arrays, `count` of their places used. */
class Own {
  count = 0
  readonly items: Uint32Array
  /** Index in the user's items. */
  readonly indices: Uint32Array
  readonly places: Uint8Array
  /** Event weight × weight of the place. */
  readonly weights: Float64Array
  /** Which of them is at a place. */
  readonly atPlaces: Uint8Array
  /** Of which the past session at hand has some. */
  readonly common: Uint8Array

  constructor(size: number) {
    this.items = new Uint32Array(size)
    this.indices = new Uint32Array(size)
    this.places = new Uint8Array(size)
    this.weights = new Float64Array(size)
    this.atPlaces = new Uint8Array(size)
    this.common = new Uint8Array(size)
  }
}
