import type { FitSignal, Model } from '../model.ts'
import { seededRandom } from '../seeded-random.ts'
import { chooseBlend, recordAnswers } from './choose-blend.ts'
import {
  evaluateCases,
  type Repeats,
  type SessionCases,
  type SessionEvaluation,
  sessionCases,
} from './evaluate-sessions.ts'
import { neighbourOf, sessionCandidates } from './session-candidates.ts'
import { SESSION_BLEND, type SessionModelSpec, SessionTraining } from './session-model.ts'
import type { SessionSplit } from './session-split.ts'

export interface TuneSessionsOptions extends FitSignal {
  /** Length of the lists that are judged. Default 20. */
  readonly k?: number
  /** Models tried at random. Default 40. */
  readonly trials?: number
  /** Neighbours of the best of each kind that are tried after. Default 32. */
  readonly refinements?: number
  /** Validation sessions that a model is judged by at most. Default 3,000. */
  readonly sessionLimit?: number
  /** No further model is tried after so long. The choice then depends on the machine's speed. Default: no limit. */
  readonly timeLimitMs?: number
  readonly seed?: number
  readonly repeats?: Repeats
  /** Models that a blend has at most, 1: none is made. Default 3. */
  readonly blendParts?: number
  /** Milliseconds of a clock that only rises. */
  readonly now?: () => number
}

/** A model tried on all validation sessions. */
export interface TriedSessionModel {
  readonly spec: SessionModelSpec
  readonly evaluation: SessionEvaluation
  /** What is maximised: the geometric mean of hit rate and MRR at k, since a shop wants the item in the list, and up in it. */
  readonly objective: number
}

export interface TunedSessions {
  /** The best of all: a model, or a blend of several where that ranks better. */
  readonly choice: TriedSessionModel
  /** The best of each kind, the best first. */
  readonly best: readonly TriedSessionModel[]
  /** All that were tried on all validation sessions, the best first. */
  readonly tried: readonly TriedSessionModel[]
}

/** Parts of the validation sessions that the rounds of successive halving judge by, and the share of models that each lets pass. */
const ROUND_SHARES = [1 / 9, 1 / 3]
const PASS_SHARE = 1 / 3
/** The kinds in the order in which they mostly rank. */
const KINDS: readonly SessionModelSpec['kind'][] = [
  'session-blend',
  'vstan',
  'vmis-knn',
  'session-item-knn',
  'sequential-rules',
  'trending',
  'popular',
]
/** Kinds after the best one that are searched on. */
const OTHER_KINDS = 3
/** Models that blends are made of, beside the best of each kind. */
const BLEND_OTHERS = 4

/**
 * Chooses a model and its options on the validation side of `split` and nothing else: keep what the final figure is measured on out
 * of it. Random search by successive halving (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
 * AISTATS 2016), in which the best of each kind always passes; random walks around the best of each kind; then a blend (`chooseBlend`). The same from the same seed, unless `timeLimitMs` ends it.
 */
export function tuneSessions(split: SessionSplit, options: TuneSessionsOptions = {}): TunedSessions {
  const search = new Search(split, options)
  const random = seededRandom(options.seed ?? 1)
  const { trials = 40, refinements = 32 } = options
  let passed = sessionCandidates(trials, random)
  for (const share of ROUND_SHARES) passed = search.halve(passed, share)
  for (const spec of passed) search.try(spec)
  for (let n = 0; n < refinements && !search.isOver(); n++) {
    // Every other one near the best of another kind, which a blend may need.
    const kinds = search.bestOfEachKind()
    const place = n % 2 === 0 ? 0 : 1 + (((n - 1) / 2) % Math.min(OTHER_KINDS, kinds.length - 1))
    search.try(neighbourOf(kinds[place]!.spec, random))
  }
  const best = search.bestOfEachKind()
  const blend = (options.blendParts ?? 3) > 1 ? search.blend() : undefined
  options.onProgress?.(1)
  const tried = search.tried()
  return {
    choice: tried[0]!,
    best: blend === undefined ? best : [...best, blend].sort(byObjective),
    tried,
  }
}

/** The best first; of equals, as where there is nothing to validate on, what mostly ranks best. */
function byObjective(
  a: Pick<TriedSessionModel, 'spec' | 'objective'>,
  b: Pick<TriedSessionModel, 'spec' | 'objective'>,
): number {
  return b.objective - a.objective || KINDS.indexOf(a.spec.kind) - KINDS.indexOf(b.spec.kind)
}

class Search {
  readonly #training: SessionTraining
  readonly #cases: SessionCases
  readonly #options: TuneSessionsOptions
  readonly #tried = new Map<string, TriedSessionModel>()
  readonly #endsAtMs: number
  readonly #now: () => number
  #trials = 0

  constructor(split: SessionSplit, options: TuneSessionsOptions) {
    this.#training = new SessionTraining(split.train)
    this.#cases = sessionCases(split, options.sessionLimit ?? 3_000)
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#endsAtMs = this.#now() + (options.timeLimitMs ?? Number.POSITIVE_INFINITY)
  }

  isOver(): boolean {
    return this.#now() >= this.#endsAtMs
  }

  /** The best third of the models on a part of the sessions, and the best of each kind. */
  halve(specs: readonly SessionModelSpec[], share: number): SessionModelSpec[] {
    const step = Math.round(1 / share)
    const cases = { ...this.#cases, sessions: this.#cases.sessions.filter((_, n) => n % step === 0) }
    const judged: { spec: SessionModelSpec; objective: number }[] = []
    for (const spec of specs) {
      const isFirstOfKind = !judged.some((one) => one.spec.kind === spec.kind)
      if (this.isOver() && !isFirstOfKind) continue
      judged.push({ spec, objective: this.#objective(this.#evaluate(this.#training.fit(spec), cases)) })
    }
    judged.sort(byObjective)
    const passing = Math.ceil(judged.length * PASS_SHARE)
    return judged
      .filter(
        ({ spec }, n) => n < passing || judged.findIndex((other) => other.spec.kind === spec.kind) === n,
      )
      .map(({ spec }) => spec)
  }

  /** Judges a model on all sessions, unless it has been. */
  try(spec: SessionModelSpec): TriedSessionModel {
    return this.#tried.get(JSON.stringify(spec)) ?? this.#judge(spec, this.#training.fit(spec))
  }

  tried(): TriedSessionModel[] {
    return [...this.#tried.values()].sort(byObjective)
  }

  bestOfEachKind(): TriedSessionModel[] {
    const tried = this.tried()
    return tried.filter((one, n) => tried.findIndex(({ spec }) => spec.kind === one.spec.kind) === n)
  }

  /** The blend of tried models that ranks best, where one ranks better than the best model. */
  blend(): TriedSessionModel | undefined {
    const best = this.tried()[0]!
    const recording = { depth: SESSION_BLEND.depth, repeats: this.#options.repeats ?? 'counted' }
    const pool = this.bestOfEachKind()
      .concat(this.tried().slice(1, 1 + BLEND_OTHERS))
      .map(({ spec }) => recordAnswers(this.#training.fit(spec), spec, this.#cases, recording))
    const parts = chooseBlend(
      [...new Map(pool.map((one) => [one.spec, one])).values()],
      { objectiveOfFirst: best.objective, partsMax: this.#options.blendParts ?? 3 },
      (model) => this.#objective(this.#evaluate(model, this.#cases)),
    )
    if (parts.length < 2) return undefined
    const spec: SessionModelSpec = { kind: 'session-blend', options: { parts } }
    return this.#judge(spec, this.#training.fit(spec))
  }

  #judge(spec: SessionModelSpec, model: Model): TriedSessionModel {
    const evaluation = this.#evaluate(model, this.#cases)
    const one = { spec, evaluation, objective: this.#objective(evaluation) }
    this.#tried.set(JSON.stringify(spec), one)
    return one
  }

  #evaluate(model: Pick<Model, 'recommend'>, cases: SessionCases): SessionEvaluation {
    const { k = 20, repeats, signal, trials = 40, refinements = 32, onProgress } = this.#options
    this.#trials += 1
    onProgress?.(Math.min(0.99, this.#trials / (2 * trials + refinements)))
    return evaluateCases(model, cases, { k, ...(repeats ? { repeats } : {}), ...(signal ? { signal } : {}) })
  }

  #objective({ metrics }: SessionEvaluation): number {
    const { k = 20 } = this.#options
    return Math.sqrt(metrics[`hit_rate@${k}`]! * metrics[`mrr@${k}`]!)
  }
}
