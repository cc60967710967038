import {
  type Evaluation,
  evaluate,
  type Interactions,
  type ItemGroups,
  pairedDifference,
  type Split,
  timeSplit,
  tune,
} from '@arus/recommenders'
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { ModelVersion, Registry } from '../registry/registry.ts'
import { saveBundle } from './model-bundle.ts'
import { type FitOptions, type Fits, fitsOf } from './model-fits.ts'
import { readTrainingData, type TrainingData } from './read-training-data.ts'
import { refitOf } from './refit.ts'

export interface TrainOptions {
  readonly lake: Lake
  readonly registry: Registry
  readonly now: () => number
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
  /** Promote whatever comes out. */
  readonly force?: boolean
  /** Models tried in the search at most; as many as its budget of time allows when not given. */
  readonly trialsMax?: number | undefined
}

export interface TrainingReport {
  readonly version: ModelVersion
  readonly wasPromoted: boolean
  /** Metrics by algorithm on the held-out newest fifth. */
  readonly metrics: ModelVersion['metrics']
  readonly seconds: number
}

const K = 20
const TEST_SHARE = 0.2
/** Test users of one evaluation at most. */
const USERS_MAX = 5_000
/** Validation users of one trial at most. */
const VALIDATION_USERS_MAX = 2_000
/** CPU seconds of fitting models that are tried, as `tune` counts them. */
const TUNING_SECONDS_MAX = 15
/** Beyond so many interactions the defaults are used, without a search. */
const TUNED_INTERACTIONS_MAX = 2_000_000
/** Stored with every version: what answers when the chosen model has nothing, and for products. */
const SMALL_KINDS: readonly string[] = ['popular', 'trending', 'content', 'walk']
const BASELINES: readonly string[] = ['popular', 'trending']

/**
 * Trains from silver: splits by time, tunes the models on the newest part of the training data only, ranks everything
 * for the held-out users with every algorithm, chooses the best, fits it again on all data and registers the version. It is promoted only when
 * it beats the baselines and the model in place on the same users; one in place that is outdated, holding the history of a shopper who was erased, is replaced
 * whatever comes out. Throws `TRAINING_NO_DATA`.
 */
export async function train(options: TrainOptions): Promise<TrainingReport> {
  const { lake, registry, now, onProgress, signal } = options
  const startedAtMs = now()
  const step = (name: string) => (fraction: number) =>
    onProgress({ step: name, done: Math.round(100 * fraction), total: 100, unit: '%' })
  step('Reading silver')(0)
  const data = await readTrainingData(lake)
  step('Reading silver')(1)
  const split = timeSplit(data.interactions, TEST_SHARE)
  const tuned = tuneModels(split.train, { signal, onProgress: step('Tuning'), trialsMax: options.trialsMax })
  const fits = fitsOf(data, tuned, signal)
  const evaluations = evaluateAll(fits, split, {
    groups: data.groups,
    signal,
    onProgress: step('Evaluating'),
  })
  const chosen = bestOf(evaluations)
  const incumbent = await evaluateIncumbent(registry, data, { split, signal })
  const verdict = incumbent?.outdated
    ? replacing(chosen, evaluations, incumbent.version)
    : judge(chosen, evaluations, incumbent)
  step('Fitting on all data')(0)
  // What was tuned is large, and of use to nobody where another model answers.
  const kept = [...fits].filter(([kind]) => SMALL_KINDS.includes(kind) || kind === chosen)
  const models = new Map(kept.map(([kind, fit]) => [kind, fit(data.interactions)]))
  step('Fitting on all data')(1)
  const metrics = Object.fromEntries([...evaluations].map(([kind, { metrics: values }]) => [kind, values]))
  const registered = await registry.register(
    {
      kind: chosen,
      metrics,
      params: { choice: tuned.choice, walk: tuned.walk, test_share: TEST_SHARE },
      table_versions: data.tableVersions,
      user_count: data.interactions.userCount,
      product_count: data.interactions.itemCount,
      interaction_count: data.interactions.users.length,
      trained_at: startedAtMs,
      reason: verdict.reason,
    },
    saveBundle({ chosen, products: data.products, models }),
  )
  await writeMetrics(lake, registered)
  const wasPromoted = verdict.isBetter || options.force === true
  const reason = verdict.isBetter ? verdict.reason : `promoted by force: ${verdict.reason}`
  const version = wasPromoted ? await registry.promote(registered.version, reason) : registered
  return { version, wasPromoted, metrics, seconds: (now() - startedAtMs) / 1000 }
}

/** Options by nDCG and recall on the newest fifth of the training data; the test data stay unseen. */
function tuneModels(
  train: Interactions,
  {
    signal,
    onProgress,
    trialsMax,
  }: {
    signal: AbortSignal
    onProgress: (fraction: number) => void
    trialsMax: number | undefined
  },
): FitOptions {
  if (train.users.length > TUNED_INTERACTIONS_MAX)
    return { choice: { kind: 'low-pass', options: {} }, walk: {} }
  const { choice, best } = tune(timeSplit(train, TEST_SHARE), {
    k: K,
    userLimit: VALIDATION_USERS_MAX,
    fitSecondsMax: TUNING_SECONDS_MAX,
    ...(trialsMax === undefined ? {} : { trialsMax }),
    signal,
    onProgress,
  })
  const walk = best.map((one) => one.choice).find(({ kind }) => kind === 'walk')
  return { choice, walk: walk?.kind === 'walk' ? walk.options : {} }
}

function evaluateAll(
  fits: Fits,
  split: Split,
  options: {
    readonly groups: ItemGroups
    readonly signal: AbortSignal
    readonly onProgress: (fraction: number) => void
  },
): Map<string, Evaluation> {
  const { groups, signal, onProgress } = options
  const evaluations = new Map<string, Evaluation>()
  for (const [kind, fit] of fits) {
    onProgress(evaluations.size / fits.size)
    evaluations.set(kind, evaluate(fit(split.train), split, K, { groups, signal, userLimit: USERS_MAX }))
  }
  onProgress(1)
  return evaluations
}

/** The model in production, with its options measured as the others are. */
interface Incumbent {
  readonly version: number
  readonly outdated: boolean
  /** Null where it cannot be fitted again. */
  readonly evaluation: Evaluation | null
  /** It was trained from older versions of the tables. */
  readonly isOlder: boolean
}

interface Verdict {
  readonly isBetter: boolean
  readonly reason: string
}

/**
 * The options in production, fitted on the same training data, for the same test users. The stored model itself would not do: it was fitted on
 * what is the test data now, and would win over anything. Null when there is none.
 */
async function evaluateIncumbent(
  registry: Registry,
  data: TrainingData,
  { split, signal }: { readonly split: Split; readonly signal: AbortSignal },
): Promise<Incumbent | null> {
  const production = await registry.production()
  if (production === null) return null
  const { version, outdated, table_versions } = production
  const refit = refitOf(production, data, signal)
  return {
    version,
    outdated,
    evaluation: refit && evaluate(refit.fit(split.train), split, K, { signal, userLimit: USERS_MAX }),
    isOlder: Object.entries(data.tableVersions).some(([table, now]) => table_versions[table] !== now),
  }
}

function bestOf(evaluations: ReadonlyMap<string, Evaluation>): string {
  return [...evaluations].sort(([, a], [, b]) => ndcgOf(b) - ndcgOf(a))[0]?.[0] ?? 'popular'
}

/** For a model in place that must go. */
function replacing(chosen: string, evaluations: ReadonlyMap<string, Evaluation>, version: number): Verdict {
  const ndcg = ndcgOf(evaluations.get(chosen)!).toFixed(4)
  const why = `version ${version} was trained with a shopper who was erased since`
  return { isBetter: true, reason: `${chosen} has ndcg@${K} ${ndcg}; ${why}` }
}

/** Whether to promote, and why, in words. */
function judge(
  chosen: string,
  evaluations: ReadonlyMap<string, Evaluation>,
  incumbent: Incumbent | null,
): Verdict {
  const mine = evaluations.get(chosen)!
  const own = `${chosen} has ndcg@${K} ${ndcgOf(mine).toFixed(4)}`
  const baselines = BASELINES.filter((kind) => kind !== chosen && evaluations.has(kind))
  const against = baselines.map((kind) => `${kind} ${ndcgOf(evaluations.get(kind)!).toFixed(4)}`).join(', ')
  const beatsBaselines = baselines.every((kind) => ndcgOf(mine) >= ndcgOf(evaluations.get(kind)!))
  if (!beatsBaselines) return { isBetter: false, reason: `${own}, not above the baselines (${against})` }
  if (incumbent === null)
    return { isBetter: true, reason: `${own}, above the baselines (${against}); no model was in place` }
  return compared(own, mine, incumbent)
}

/** With the same options nothing differs but the data that the registered model has seen: the newer serves. */
function compared(own: string, mine: Evaluation, { version, evaluation, isOlder }: Incumbent): Verdict {
  if (evaluation === null)
    return { isBetter: true, reason: `${own}; version ${version}, in place, cannot be fitted again` }
  const { mean, low, high } = pairedDifference(mine.byUser[`ndcg@${K}`]!, evaluation.byUser[`ndcg@${K}`]!)
  const difference = `${mean >= 0 ? '+' : ''}${mean.toFixed(4)} (95 % ${low.toFixed(4)} to ${high.toFixed(4)}) against version ${version}, fitted on the same data`
  if (mean > 0) return { isBetter: true, reason: `${own}, ${difference}` }
  if (mean === 0 && isOlder)
    return {
      isBetter: true,
      reason: `${own}, as version ${version} fitted on the same data; its data are newer`,
    }
  return { isBetter: false, reason: `${own}, ${difference}: not better than the model in place` }
}

function ndcgOf({ metrics }: Evaluation): number {
  return metrics[`ndcg@${K}`] ?? 0
}

async function writeMetrics(lake: Lake, { version, metrics, trained_at }: ModelVersion): Promise<void> {
  const rows = Object.entries(metrics).flatMap(([kind, values]) =>
    Object.entries(values).map(
      ([metric, value]) =>
        `(${version}, '${kind}', '${metric}', ${value}, make_timestamp(${trained_at} * 1000)::TIMESTAMPTZ)`,
    ),
  )
  await lake.write(
    'gold.model_metrics',
    `SELECT * FROM (VALUES ${rows.join(', ')}) v(version, kind, metric, value, trained_at)`,
    { mode: 'append' },
  )
}
