import {
  type AskedLists,
  askedOnce,
  blendWeights,
  type Judge,
  type Lists,
  listsOf,
  scoreOf,
} from './blend-weights.ts'
import { type Choice, type DataSize, fitChoice, fitSecondsOf, type SearchedChoice } from './choice.ts'
import { withLogWeights } from './log-weights.ts'
import { fitFilter } from './low-pass.ts'
import { type LowPassFilter, LowPassModel } from './low-pass-model.ts'
import type { FitSignal, Model } from './model.ts'
import { assertOptions } from './options.ts'
import { dimensionsOf, firstOf, type Kind, neighbourOf } from './search-space.ts'
import { seededRandom } from './seeded-random.ts'
import { cheapestWithin, type ServingTrial, servingTrials } from './serving-trials.ts'
import type { SparseMatrix } from './sparse-matrix.ts'
import type { Split } from './splits.ts'
import { timelineOf, userTimelines } from './timelines.ts'
import { fitNeighbours } from './walk.ts'

/** A model that was tried on validation data. */
export interface Tried {
  readonly choice: SearchedChoice
  readonly recencyExponent: number
  /** Mean of nDCG@k and recall@k over the users of a trial: to be compared with other trials, not with final figures. */
  readonly score: number
}

/** What ranked best, or a cheaper form of it, and what was tried on the way. */
export interface Tuned {
  readonly choice: Choice
  /** Mean of nDCG@k and recall@k of the choice over all validation users. */
  readonly score: number
  /** Of each kind that was tried, the best, with its score on all validation users. */
  readonly best: readonly Tried[]
  readonly tried: readonly Tried[]
  /** Forms of what ranked best, the cheapest first and itself last; the choice is one of them. Empty where none was asked for or there is none. */
  readonly serving: readonly ServingTrial[]
}

export interface TuneOptions extends FitSignal {
  readonly k: number
  /** Users that the last round is judged by; trials take a quarter of them. */
  readonly userLimit?: number
  /**
   * CPU seconds of fitting, as `fitSecondsOf` counts them: what would go beyond is not tried. Baselines are always.
   */
  readonly fitSecondsMax?: number
  readonly trialsMax?: number
  /** Kinds that are tried; all but SLIM when not given: it ranks as EASE does, which a search need not find twice. */
  readonly kinds?: readonly Kind[]
  readonly seed?: number
  /**
   * How much of the best score may be given up for answers that cost less, 0 to 1: the cheapest form of what ranked best within it is taken
   * (see `servingForms`). 0, the default: quality alone decides.
   */
  readonly servingTolerance?: number
  /** CPU µs so far: what the cost of answers is measured by, which decides nothing. */
  readonly cpuMicros?: () => number
}

const RECENCY_EXPONENTS = [0, 0.25, 0.5, 0.75, 1]
/** Kinds that a large blend may have: the best. */
const PARTS_MAX = 5
const ROUNDS = 3
const TRIALS_MAX = 40
/** Changes tried of each kind in a round. */
const CHANGES = 4

/**
 * Searches kinds of models, their options and a blend of the best on validation data, by the mean of nDCG@k and recall@k. Every kind is tried with its
 * defaults; then, in rounds after each of which the worse half of the kinds drops out (successive halving: Jamieson and
 * Talwalkar, AISTATS 2016, fig. 1), with random changes of its best options (Bergstra and Bengio, "Random Search for
 * Hyper-Parameter Optimization", JMLR 2012, is why random). How much the newest items of a user count is searched by itself.
 * Nothing but `split` is looked at: keep what the final figure is measured on out of it. The same data give the same choice.
 * Throws `MODEL_INPUT_INVALID` for a `servingTolerance` that is no share.
 */
export function tune(split: Split, options: TuneOptions): Tuned {
  const { servingTolerance = 0 } = options
  assertOptions({ servingTolerance }, { servingTolerance: 'share' })
  const search = new Search(split, options)
  const wanted = KINDS.filter((kind) => options.kinds?.includes(kind) ?? kind !== 'slim')
  const kinds = wanted.filter((kind) => search.tryFirst(kind))
  for (let round = 0; round < ROUNDS; round++) {
    const alive = search.ranked(kinds).slice(0, Math.max(2, Math.ceil(kinds.length / 2 ** round)))
    for (let change = 0; change < CHANGES; change++) for (const kind of alive) search.tryChange(kind)
  }
  return search.conclude(kinds)
}

/** In the order in which their defaults are tried: those that a budget should not leave out come first. */
const KINDS: readonly Kind[] = ['popular', 'walk', 'low-pass', 'item-knn', 'slim', 'ease', 'als']

class Search {
  readonly #split: Split
  readonly #options: TuneOptions
  readonly #size: DataSize
  readonly #byUser: SparseMatrix
  readonly #all: Judge
  readonly #some: Judge
  readonly #random: () => number
  readonly #tried: Tried[] = []
  readonly #seen = new Set<string>()
  /** Kept fitted: the last round asks them again. */
  readonly #best = new Map<Kind, Tried & { readonly model: Model }>()
  readonly #parts: PartCache
  #recencyExponent = 0
  #secondsLeft: number
  #trialsLeft: number

  constructor(split: Split, options: TuneOptions) {
    this.#split = split
    this.#options = options
    this.#byUser = userTimelines(split.train)
    this.#size = sizeOf(this.#byUser)
    this.#all = judgeOf(split, options)
    this.#some = { ...this.#all, users: everyFourth(this.#all.users) }
    this.#random = seededRandom(options.seed ?? 1)
    this.#secondsLeft = options.fitSecondsMax ?? 60
    this.#trialsLeft = options.trialsMax ?? TRIALS_MAX
    this.#parts = new PartCache(withLogWeights(this.#byUser))
  }

  /** Tries the defaults; false where the budget does not allow it. */
  tryFirst(kind: Kind): boolean {
    const first = firstOf(kind, this.#size, this.#walkOptions())
    if (!this.#isAffordable(first)) return false
    const model = this.#fit(first)
    if (kind === 'walk')
      this.#recencyExponent = bestRecency(this.#some, (exponent) => listsOf(model, this.#some, exponent))
    this.#try(first, model)
    return true
  }

  /** Tries a change of the best of a kind that was not tried before. */
  tryChange(kind: Kind): void {
    const best = this.#best.get(kind)
    if (best === undefined || dimensionsOf(kind) === 0) return
    for (let attempt = 0; attempt < 10; attempt++) {
      const choice = neighbourOf(best.choice, this.#size, this.#random)
      if (this.#seen.has(JSON.stringify(choice))) continue
      if (this.#isAffordable(choice)) this.#try(choice, this.#fit(choice))
      return
    }
  }

  ranked(kinds: readonly Kind[]): Kind[] {
    const score = (kind: Kind) => this.#best.get(kind)?.score ?? 0
    return [...kinds].sort((a, b) => score(b) - score(a))
  }

  /** Judges the best of each kind by all users, and blends them. */
  conclude(kinds: readonly Kind[]): Tuned {
    const best: Tried[] = []
    const lists: Lists[] = []
    const asked = askedOnce(this.#all)
    for (const kind of this.ranked(kinds)) {
      const { choice, model } = this.#best.get(kind)!
      if (lists.length === 0)
        this.#recencyExponent = bestRecency(this.#all, (exponent) => asked(model, exponent))
      const found = asked(model, this.#recencyExponent)
      lists.push(found)
      best.push({ choice, recencyExponent: this.#recencyExponent, score: scoreOf(found, this.#all) })
    }
    const { weights, score } = blendWeights(lists.slice(0, PARTS_MAX), this.#all)
    const choice = this.#choiceOf(best, weights)
    const serving = this.#serving(choice, asked)
    const cheapest = cheapestWithin(this.#options.servingTolerance ?? 0, serving) ?? { choice, score }
    this.#options.onProgress?.(1)
    return { choice: cheapest.choice, score: cheapest.score, best, tried: this.#tried, serving }
  }

  #serving(choice: Choice, asked: AskedLists): ServingTrial[] {
    const { servingTolerance = 0, cpuMicros } = this.#options
    if (servingTolerance === 0) return []
    return servingTrials(choice, {
      judge: this.#all,
      listsOf: asked,
      itemCount: this.#size.itemCount,
      modelOf: ({ kind }) => this.#best.get(kind)!.model,
      fitLowPass: (options) => this.#fit({ kind: 'low-pass', options }) as LowPassModel,
      ...(cpuMicros && { cpuMicros }),
    })
  }

  #choiceOf(best: readonly Tried[], weights: readonly number[]): Choice {
    const parts = best
      .map(({ choice }, n) => ({ choice, weight: weights[n] ?? 0 }))
      .filter(({ weight }) => weight > 0)
    const recencyExponent = this.#recencyExponent
    const [only] = parts
    if (only !== undefined && parts.length === 1 && (recencyExponent === 0 || only.choice.kind === 'popular'))
      return only.choice
    return { kind: 'blend', recencyExponent, parts }
  }

  #try(choice: SearchedChoice, model: Model): void {
    this.#trialsLeft -= 1
    this.#seen.add(JSON.stringify(choice))
    const score = scoreOf(listsOf(model, this.#some, this.#recencyExponent), this.#some)
    const one = { choice, recencyExponent: this.#recencyExponent, score }
    this.#tried.push(one)
    const best = this.#best.get(choice.kind)
    if (best === undefined || score > best.score) this.#best.set(choice.kind, { ...one, model })
    const { trialsMax = TRIALS_MAX, onProgress } = this.#options
    onProgress?.((0.9 * this.#tried.length) / Math.max(trialsMax, this.#tried.length))
  }

  #isAffordable(choice: SearchedChoice): boolean {
    const seconds = this.#parts.secondsOf(choice, this.#size)
    if (choice.kind !== 'popular' && choice.kind !== 'walk' && seconds > this.#secondsLeft) return false
    if (choice.kind === 'walk' && this.#tried.length > 2 && seconds > this.#secondsLeft) return false
    if (this.#trialsLeft <= 0) return false
    this.#secondsLeft -= seconds
    return true
  }

  #fit(choice: SearchedChoice): Model {
    const signal = this.#options.signal ? { signal: this.#options.signal } : {}
    this.#options.signal?.throwIfAborted()
    return this.#parts.fit(choice, signal) ?? fitChoice(choice, this.#split.train, signal)
  }

  #walkOptions() {
    const walk = this.#best.get('walk')?.choice
    return walk?.kind === 'walk' ? walk.options : {}
  }
}

function bestRecency(judge: Judge, listsAt: (exponent: number) => Lists): number {
  const found = RECENCY_EXPONENTS.map((exponent) => scoreOf(listsAt(exponent), judge))
  return RECENCY_EXPONENTS[found.indexOf(Math.max(...found))]!
}

/** The parts of the last low-pass model: its trials mostly change one of them. */
class PartCache {
  readonly #byUser: SparseMatrix
  #neighbours: { readonly key: string; readonly matrix: SparseMatrix } | null = null
  #filter: { readonly key: string; readonly filter: LowPassFilter } | null = null

  constructor(byUser: SparseMatrix) {
    this.#byUser = byUser
  }

  secondsOf(choice: SearchedChoice, size: DataSize): number {
    const all = fitSecondsOf(choice, size)
    if (choice.kind !== 'low-pass') return all
    const walk = fitSecondsOf({ kind: 'walk', options: {} }, size)
    const { neighbours, filter } = keysOf(choice)
    return (neighbours === this.#neighbours?.key ? 0 : walk) + (filter === this.#filter?.key ? 0 : all - walk)
  }

  fit(choice: SearchedChoice, signal: FitSignal): Model | null {
    if (choice.kind !== 'low-pass') return null
    const { walk = {}, filterWeight } = choice.options
    const keys = keysOf(choice)
    if (this.#neighbours?.key !== keys.neighbours)
      this.#neighbours = { key: keys.neighbours, matrix: fitNeighbours(this.#byUser, walk, signal) }
    if (this.#filter?.key !== keys.filter)
      this.#filter = { key: keys.filter, filter: fitFilter(this.#byUser, choice.options, signal) }
    return LowPassModel.of(this.#neighbours.matrix, this.#filter.filter, filterWeight)
  }
}

function keysOf({ options }: SearchedChoice & { readonly kind: 'low-pass' }) {
  const { walk, filterWeight: _, ...filter } = options
  return { neighbours: JSON.stringify(walk), filter: JSON.stringify(filter) }
}

function sizeOf({ rowCount, columnCount, starts }: SparseMatrix): DataSize {
  let pairCount = 0
  for (let user = 0; user < rowCount; user++) pairCount += (starts[user + 1]! - starts[user]!) ** 2
  return { userCount: rowCount, itemCount: columnCount, entryCount: starts[rowCount]!, pairCount }
}

function judgeOf({ train, test }: Split, { k, userLimit = Number.POSITIVE_INFINITY }: TuneOptions): Judge {
  const past = userTimelines(train)
  const future = userTimelines(test)
  const users = []
  for (let user = 0; user < past.rowCount; user++) {
    const own = timelineOf(past, user)
    const wanted = new Set(timelineOf(future, user).items)
    for (const item of own.items) wanted.delete(item)
    if (own.items.length > 0 && wanted.size > 0) users.push({ past: own, wanted })
  }
  const step = Math.max(1, Math.ceil(users.length / userLimit))
  return { users: users.filter((_, n) => n % step === 0), k }
}

/** Users below which trials take all. */
const TRIAL_USERS_MIN = 1_000

function everyFourth(users: Judge['users']): Judge['users'] {
  const step =
    users.length < 2 * TRIAL_USERS_MIN ? 1 : Math.min(4, Math.floor(users.length / TRIAL_USERS_MIN))
  return users.filter((_, n) => n % step === 0)
}
