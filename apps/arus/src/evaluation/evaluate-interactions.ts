import {
  type Choice,
  fitChoice,
  type ItemGroups,
  type ModelChoice,
  type Split,
  type Tuned,
  tune,
} from '@arus/recommenders'
import type { LeftOut } from './evaluation-report.ts'
import { cpuSecondsSince, type MeasuredModel, type ModelToMeasure, measureModels } from './measured-model.ts'

/** Models with options that are searched for. */
export const SEARCHED_KINDS = ['popular', 'walk', 'low-pass', 'item-knn', 'slim', 'ease', 'als'] as const
export const BLEND = 'blend'
/** Stands for what the search chose, whatever it is. */
export const CHOICE = 'choice'

export interface InteractionsToEvaluate {
  readonly split: Split
  /** What options are chosen on: made of the training part of `split`. */
  readonly validation: Split
  /** Models without options to be searched: trending, content, the one in production. */
  readonly fixed: readonly ModelToMeasure[]
  readonly groups?: ItemGroups
}

export interface EvaluateInteractionsOptions {
  readonly k: number
  /** Names of models; all when null. */
  readonly models: readonly string[] | null
  /** CPU seconds of fitting in the search, as `tune` counts them. */
  readonly budgetSeconds: number
  /** Validation shoppers of the search at most. */
  readonly validationUserLimit: number
  /** How much of the best score the choice may give up for cheaper answers; see `TuneOptions`. 0: nothing. */
  readonly servingTolerance: number
  readonly userLimit: number
  /** Both steps, 0 to 1 each. */
  readonly onProgress: (step: 'Searching' | 'Measuring', fraction: number) => void
  readonly signal: AbortSignal
}

export interface MeasuredInteractions {
  readonly measured: readonly MeasuredModel[]
  readonly leftOut: readonly LeftOut[]
  /** Null where nothing was to be searched. */
  readonly tuned: Tuned | null
  readonly tuneCpuSeconds: number
}

/** Chooses the options of each model on validation data, then fits and measures all on the test data, which nothing was chosen on. */
export function evaluateInteractions(
  { split, validation, fixed, groups }: InteractionsToEvaluate,
  options: EvaluateInteractionsOptions,
): MeasuredInteractions {
  const started = process.cpuUsage()
  const tuned = search(validation, options)
  const tuneCpuSeconds = cpuSecondsSince(started)
  const { models, leftOut } = candidatesOf(tuned, options)
  const measured = measureModels([...fixed.filter(({ name }) => isWanted(name, options)), ...models], split, {
    k: options.k,
    userLimit: options.userLimit,
    groups,
    onProgress: (fraction) => options.onProgress('Measuring', fraction),
    signal: options.signal,
  })
  return { measured, leftOut, tuned, tuneCpuSeconds }
}

function isWanted(name: string, { models }: EvaluateInteractionsOptions): boolean {
  return models === null || models.includes(name)
}

/** A blend, and the choice, may be of any kind that is searched by itself; without them only the kinds asked for are. */
function search(validation: Split, options: EvaluateInteractionsOptions): Tuned | null {
  const isChosen = [BLEND, CHOICE].some((name) => isWanted(name, options))
  const kinds = SEARCHED_KINDS.filter(
    (kind) => options.models?.includes(kind) || (isChosen && kind !== 'slim'),
  )
  if (kinds.length === 0) return null
  return tune(validation, {
    k: options.k,
    kinds,
    userLimit: options.validationUserLimit,
    fitSecondsMax: options.budgetSeconds,
    servingTolerance: isChosen ? options.servingTolerance : 0,
    signal: options.signal,
    onProgress: (fraction) => options.onProgress('Searching', fraction),
  })
}

function candidatesOf(tuned: Tuned | null, options: EvaluateInteractionsOptions) {
  const models: ModelToMeasure[] = []
  const leftOut: LeftOut[] = []
  const isChoice = (name: string) => tuned?.choice.kind === name && isWanted(CHOICE, options)
  for (const kind of SEARCHED_KINDS.filter((one) => isWanted(one, options) || isChoice(one))) {
    const found = tuned?.best.find(({ choice }) => choice.kind === kind)?.choice
    if (found !== undefined) models.push(modelOf(found))
    else leftOut.push({ model: kind, why: `no room in a budget of ${options.budgetSeconds} s` })
  }
  if (tuned === null) return { models, leftOut }
  const { choice } = tuned
  const isSearched = SEARCHED_KINDS.some((kind) => kind === choice.kind)
  if (!isSearched && [BLEND, CHOICE].some((name) => isWanted(name, options))) models.push(modelOf(choice))
  if (isSearched && isWanted(BLEND, options))
    leftOut.push({ model: BLEND, why: `none was better than ${choice.kind} alone` })
  return { models, leftOut }
}

function modelOf(choice: Choice): ModelToMeasure {
  return {
    name: choice.kind,
    options: optionsOf(choice),
    fit: (train) => fitChoice(choice, train),
  }
}

function optionsOf(choice: Choice): Readonly<Record<string, unknown>> {
  if (choice.kind !== BLEND) return (choice as ModelChoice).options as Readonly<Record<string, unknown>>
  const { recencyExponent, parts } = choice as Extract<Choice, { readonly kind: 'blend' }>
  return { recencyExponent, parts }
}
