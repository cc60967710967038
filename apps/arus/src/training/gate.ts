import {
  type Evaluation,
  evaluate,
  isShortened,
  type Model,
  pairedDifference,
  type Split,
} from '@arus/recommenders'
import type { Registry } from '../registry/registry.ts'
import { servingModelOf } from './load-serving-model.ts'
import { loadBundle } from './model-bundle.ts'
import type { FitOptions } from './model-fits.ts'
import { K, ndcgOf } from './ndcg.ts'
import type { TrainingData } from './read-training-data.ts'
import { refitOf, refitOnSpark } from './refit.ts'
import type { ServingModel } from './serving-model.ts'
import type { SparkTrainer } from './spark-trainer.ts'
import type { TrainedSessions } from './train-sessions.ts'

/** Test users of one evaluation at most. */
export const USERS_MAX = 5_000
const BASELINES: readonly string[] = ['popular', 'trending']

/** The model in production, with its options measured as the others are. */
export interface Incumbent {
  readonly version: number
  readonly outdated: boolean
  readonly kind: string
  /** Its options fitted on the training part; null where it does not tell them, and where Spark, which fitted it, is not used any more. */
  readonly refit: {
    readonly options: FitOptions
    readonly model: Model
    readonly evaluation: Evaluation
  } | null
  /** Spark, which fitted it, is to be used and does not answer: for now it cannot be compared. */
  readonly isAway: boolean
  /** It was trained from older versions of the tables. */
  readonly isOlder: boolean
  /** As it is stored: for sessions, of which nothing is fitted again, though it has seen some of them. */
  readonly serving: ServingModel
}

/** Whether a model is put into service, and why. */
export interface Verdict {
  readonly isBetter: boolean
  readonly reason: string
}

/**
 * The options in production, fitted on the same training data, for the same test users. The stored model itself would not do: it was fitted on
 * what is the test data now, and would win over anything. Null when there is none.
 */
export async function evaluateIncumbent(
  registry: Registry,
  data: TrainingData,
  {
    split,
    spark,
    signal,
  }: { readonly split: Split; readonly spark: SparkTrainer | null; readonly signal: AbortSignal },
): Promise<Incumbent | null> {
  const production = await registry.production()
  if (production === null) return null
  const { version, kind, outdated, table_versions } = production
  const refit = refitOf(production, data, signal) ?? refitOnSpark(production, spark)
  const model = await refit?.fit(split.train)
  return {
    version,
    kind,
    outdated,
    serving: servingModelOf(production, loadBundle(await registry.artefact(version))),
    refit:
      refit && model
        ? {
            options: refit.fitOptions,
            model,
            evaluation: evaluate(model, split, K, { groups: data.groups, signal, userLimit: USERS_MAX }),
          }
        : null,
    isAway: model === null,
    isOlder: Object.entries(data.tableVersions).some(([table, now]) => table_versions[table] !== now),
  }
}

/** The kind of the best. */
export function bestOf(evaluations: ReadonlyMap<string, Evaluation>): string {
  return [...evaluations].sort(([, a], [, b]) => ndcgOf(b) - ndcgOf(a))[0]?.[0] ?? 'popular'
}

/**
 * How much worse than the model in place, as a share of its nDCG, a model may be that is cheaper to serve: `servingTolerance` where its
 * options are shortened and those in place are not, so that it is given up once and not again with each version.
 */
export function allowanceOf(
  chosen: string,
  fitted: FitOptions,
  {
    incumbent,
    servingTolerance,
  }: { readonly incumbent: Incumbent | null; readonly servingTolerance: number },
): number {
  const isCheaper = chosen === fitted.choice.kind && isShortened(fitted.choice)
  const inPlace = incumbent?.refit
  const isInPlaceCheap =
    !inPlace || incumbent.kind !== inPlace.options.choice.kind || isShortened(inPlace.options.choice)
  return isCheaper && !isInPlaceCheap ? servingTolerance : 0
}

/** For a model in place that must go. */
export function replacing(
  chosen: string,
  evaluations: ReadonlyMap<string, Evaluation>,
  version: number,
): Verdict {
  const ndcg = ndcgOf(evaluations.get(chosen)!).toFixed(4)
  const why = `version ${version} was trained with a shopper who was erased since`
  return { isBetter: true, reason: `${chosen} has ndcg@${K} ${ndcg}; ${why}` }
}

/** Whether to promote, and why, in words. */
export function judge(
  chosen: string,
  evaluations: ReadonlyMap<string, Evaluation>,
  { incumbent, ...others }: { readonly incumbent: Incumbent | null } & Omit<Against, 'incumbent'>,
): Verdict {
  const mine = evaluations.get(chosen)!
  const own = `${chosen} has ndcg@${K} ${ndcgOf(mine).toFixed(4)}`
  const baselines = BASELINES.filter((kind) => kind !== chosen && evaluations.has(kind))
  const against = baselines.map((kind) => `${kind} ${ndcgOf(evaluations.get(kind)!).toFixed(4)}`).join(', ')
  const beatsBaselines = baselines.every((kind) => ndcgOf(mine) >= ndcgOf(evaluations.get(kind)!))
  if (!beatsBaselines) return { isBetter: false, reason: `${own}, not above the baselines (${against})` }
  if (incumbent === null)
    return { isBetter: true, reason: `${own}, above the baselines (${against}); no model was in place` }
  return compared(own, mine, { incumbent, ...others })
}

interface Against {
  readonly incumbent: Incumbent
  readonly sessions: TrainedSessions
  /** See `allowanceOf`. */
  readonly allowance: number
}

/** With the same options nothing differs but the data that the registered model has seen: the newer serves. */
function compared(own: string, mine: Evaluation, { incumbent, sessions, allowance }: Against): Verdict {
  const { version, refit, isAway, isOlder } = incumbent
  if (isAway)
    return {
      isBetter: false,
      reason: `${own}; version ${version}, in place, is to be compared when Spark answers again`,
    }
  if (refit === null)
    return { isBetter: true, reason: `${own}; version ${version}, in place, cannot be fitted again` }
  const { mean, low, high } = pairedDifference(
    mine.byUser[`ndcg@${K}`]!,
    refit.evaluation.byUser[`ndcg@${K}`]!,
  )
  const difference = `${mean >= 0 ? '+' : ''}${mean.toFixed(4)} (95 % ${low.toFixed(4)} to ${high.toFixed(4)}) against version ${version}, fitted on the same data`
  if (mean > 0) return { isBetter: true, reason: `${own}, ${difference}` }
  if (mean === 0 && isOlder)
    return {
      isBetter: true,
      reason: `${own}, as version ${version} fitted on the same data; its data are newer`,
    }
  if (allowance > 0 && mean >= -allowance * ndcgOf(refit.evaluation))
    return { isBetter: true, reason: `${own}, ${difference}: cheaper to serve, and close enough` }
  if (high >= 0 && sessions.beatsIncumbent)
    return {
      isBetter: true,
      reason: `${own}, ${difference}: not surely worse, and surely better for sessions`,
    }
  return { isBetter: false, reason: `${own}, ${difference}: not better than the model in place` }
}
