import { type AskedLists, type Judge, joined, type Lists, scoreOf } from './blend-weights.ts'
import { blendOf, type Choice, type ModelChoice, type SearchedChoice } from './choice.ts'
import type { LowPassOptions } from './low-pass.ts'
import type { LowPassModel } from './low-pass-model.ts'
import type { Model } from './model.ts'
import type { NeighbourModel } from './neighbour-model.ts'
import { ROW_LENGTH_MAX, servingForms } from './serving-forms.ts'

/** A form in which a choice could be served. */
export interface ServingTrial {
  readonly choice: Choice
  /** As `Tuned.score`. */
  readonly score: number
  /** CPU µs of an answer with its reasons, mean over some validation users with all their items. */
  readonly answerCpuMicros: number
}

export interface ServingTrialsOptions {
  readonly judge: Judge
  /** Lists for the users of `judge`. */
  readonly listsOf: AskedLists
  readonly itemCount: number
  /** The fitted model of a part that stays as it is. */
  readonly modelOf: (part: SearchedChoice) => Model
  readonly fitLowPass: (options: LowPassOptions) => LowPassModel
  /** CPU µs so far; of this process when not given. */
  readonly cpuMicros?: () => number
}

/** Users whose answers are timed. */
const TIMED_USERS_MAX = 500
/** Items of a timed answer. */
const TIMED_ITEMS = 60

/** Judges the cheaper forms of a choice, in order of their cost, and then itself; nothing where there are none. */
export function servingTrials(choice: Choice, options: ServingTrialsOptions): ServingTrial[] {
  const { judge, listsOf, itemCount, cpuMicros = processCpuMicros } = options
  const forms = servingForms(choice, itemCount)
  if (forms.length === 0) return []
  const modelOf = partModels(options)
  const sums = new Float64Array(itemCount)
  const listsFor = (form: Choice): Lists => {
    if (form.kind !== 'blend') return listsOf(modelOf(form), 0)
    const parts = form.parts.map((part) => listsOf(modelOf(part.choice), form.recencyExponent))
    return joined(
      parts,
      form.parts.map(({ weight }) => weight),
      { judge, sums },
    )
  }
  return [...forms, choice].map((form) => {
    const model = form.kind === 'blend' ? blendOf(form, modelOf) : modelOf(form)
    const score = scoreOf(listsFor(form), judge)
    return { choice: form, score, answerCpuMicros: meanCpuMicros(model, judge, cpuMicros) }
  })
}

/** The fitted models of parts, each the same whenever it is asked for. */
function partModels({
  modelOf,
  fitLowPass,
}: Pick<ServingTrialsOptions, 'modelOf' | 'fitLowPass'>): (part: ModelChoice) => Model {
  const shortened = new Map<number, NeighbourModel>()
  return (part) => {
    if (part.kind !== 'short-low-pass') return modelOf(part)
    const { rowLength, ...wide } = part.options
    const longest = shortened.get(ROW_LENGTH_MAX) ?? fitLowPass(wide).shortened(ROW_LENGTH_MAX)
    const model = shortened.get(rowLength) ?? longest.truncated(rowLength)
    shortened.set(ROW_LENGTH_MAX, longest).set(rowLength, model)
    return model
  }
}

/** The first, which is the cheapest, whose score is at most this share below the best; undefined of none. */
export function cheapestWithin(tolerance: number, trials: readonly ServingTrial[]): ServingTrial | undefined {
  const best = Math.max(...trials.map(({ score }) => score))
  return trials.find(({ score }) => score >= best * (1 - tolerance))
}

function meanCpuMicros(model: Model, { users }: Judge, cpuMicros: () => number): number {
  const timed = users.slice(0, TIMED_USERS_MAX)
  const before = cpuMicros()
  for (const { past } of timed) model.reasons(past, model.recommend(past, { k: TIMED_ITEMS }).items)
  return (cpuMicros() - before) / Math.max(1, timed.length)
}

function processCpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
