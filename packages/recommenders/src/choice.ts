import { type AlsOptions, fitAls } from './als.ts'
import { BlendModel } from './blend-model.ts'
import { type EaseOptions, fitEase } from './ease.ts'
import { fitItemKnn, type ItemKnnOptions } from './item-knn.ts'
import { fitLowPass, fitShortLowPass, type LowPassOptions, type ShortLowPassOptions } from './low-pass.ts'
import type { FitSignal, Interactions, Model } from './model.ts'
import { fitPopular } from './ranking-model.ts'
import { fitSlim, type SlimOptions } from './slim.ts'
import { fitWalk, type WalkOptions } from './walk.ts'

/** A model that is searched and its options, as plain JSON. */
export type SearchedChoice =
  | { readonly kind: 'popular'; readonly options: Readonly<Record<string, never>> }
  | { readonly kind: 'walk'; readonly options: WalkOptions }
  | { readonly kind: 'item-knn'; readonly options: ItemKnnOptions }
  | { readonly kind: 'ease'; readonly options: EaseOptions }
  | { readonly kind: 'slim'; readonly options: SlimOptions }
  | { readonly kind: 'als'; readonly options: AlsOptions }
  | { readonly kind: 'low-pass'; readonly options: LowPassOptions }

/** A model and its options. Searched or, shortened for serving, made of what the search found; see `servingForms`. */
export type ModelChoice =
  | SearchedChoice
  | { readonly kind: 'short-low-pass'; readonly options: ShortLowPassOptions }

/** Several, and how they are blended; see `BlendModel`. */
export interface BlendChoice {
  readonly kind: 'blend'
  readonly recencyExponent: number
  readonly parts: readonly { readonly choice: ModelChoice; readonly weight: number }[]
}

/** What `tune` chose: it can be stored, and fitted to other data. */
export type Choice = ModelChoice | BlendChoice

/** Fits what was chosen. */
export function fitChoice(choice: Choice, interactions: Interactions, signal: FitSignal = {}): Model {
  if (choice.kind === 'blend')
    return fitBlend(choice, (part, own) => fitChoice(part, interactions, own), signal)
  if (choice.kind === 'walk') return fitWalk(interactions, choice.options, signal)
  if (choice.kind === 'item-knn') return fitItemKnn(interactions, choice.options, signal)
  if (choice.kind === 'ease') return fitEase(interactions, choice.options, signal)
  if (choice.kind === 'slim') return fitSlim(interactions, choice.options, signal)
  if (choice.kind === 'als') return fitAls(interactions, choice.options, signal)
  if (choice.kind === 'low-pass') return fitLowPass(interactions, choice.options, signal)
  if (choice.kind === 'short-low-pass') return fitShortLowPass(interactions, choice.options, signal)
  return fitPopular(interactions)
}

/**
 * `fitChoice` to the same interactions, for choices that have parts in common, such as a blend and one of its parts: what was fitted
 * once is the same model wherever it is asked for again.
 */
export function fitterOf(interactions: Interactions, signal: FitSignal = {}): (choice: Choice) => Model {
  const known = new Map<string, Model>()
  const fit = (choice: ModelChoice, parts: FitSignal = signal): Model => {
    const key = JSON.stringify(choice)
    const model = known.get(key) ?? fitChoice(choice, interactions, parts)
    known.set(key, model)
    return model
  }
  return (choice) => (choice.kind === 'blend' ? fitBlend(choice, fit, signal) : fit(choice))
}

function fitBlend(
  choice: BlendChoice,
  fit: (part: ModelChoice, signal: FitSignal) => Model,
  signal: FitSignal,
): BlendModel {
  return blendOf(choice, (part, n) =>
    fit(part, {
      ...signal,
      onProgress: (done) => signal.onProgress?.((n + done) / choice.parts.length),
    }),
  )
}

/** The blend of the models that `fit` gives for its parts. */
export function blendOf(
  { parts, recencyExponent }: BlendChoice,
  fit: (part: ModelChoice, n: number) => Model,
): BlendModel {
  return new BlendModel(
    parts.map(({ choice, weight }, n) => ({ weight, model: fit(choice, n) })),
    { recencyExponent },
  )
}

/** What the cost of a fit depends on. */
export interface DataSize {
  readonly userCount: number
  readonly itemCount: number
  readonly entryCount: number
  /** Σ_u d_u². */
  readonly pairCount: number
}

/** Nanoseconds of an operation, roughly, on the machines we have measured: only the order of magnitude matters. */
const NS = { pair: 50, localStep: 0.6, dense: 0.15, gathered: 0.6 }

/**
 * About how many CPU seconds a fit takes: counted, not measured, so that a search bounded by it takes the same decisions
 * on every machine.
 */
export function fitSecondsOf({ kind, options }: SearchedChoice, size: DataSize): number {
  const { userCount, itemCount, entryCount, pairCount } = size
  const pairs = pairCount * NS.pair * 1e-9
  if (kind === 'walk' || kind === 'item-knn') return pairs
  if (kind === 'low-pass') {
    const { rank = 256, iterations = 3 } = options
    const products = 2 * entryCount * rank * NS.gathered + 2 * itemCount * rank ** 2 * NS.dense
    return pairs + (iterations * products + rank ** 3) * 1e-9
  }
  if (kind === 'als') {
    const { factorCount = 64, iterations = 8, steps = 3 } = options
    const sparse = 4 * entryCount * factorCount * NS.gathered
    const dense = (userCount + itemCount) * factorCount ** 2 * NS.dense
    return iterations * (steps + 1) * (sparse + dense) * 1e-9
  }
  if (kind === 'slim') {
    const { candidateCount = 200 } = options
    const count = Math.min(candidateCount, pairCount / Math.max(1, itemCount))
    return pairs + itemCount * (count * 1_000 + 20 * count ** 2) * NS.localStep * 1e-9
  }
  if (kind === 'ease') {
    const { denseItemsMax = 6_000, localItemCount = 150 } = options
    if (itemCount <= denseItemsMax) return (itemCount ** 3 * NS.dense + pairCount * 2) * 1e-9
    return pairs + itemCount * (localItemCount * 1_000 + localItemCount ** 3 / 6) * NS.localStep * 1e-9
  }
  return 0
}
