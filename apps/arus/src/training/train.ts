import {
  type Evaluation,
  evaluate,
  type Interactions,
  type ItemGroups,
  type Model,
  type Split,
  timeSplit,
  tune,
} from '@arus/recommenders'
import type { SparkCompute } from '../compute/spark-compute.ts'
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { ModelVersion, Registry } from '../registry/registry.ts'
import { type Evaluated, fitAll, fitBest } from './fit-best.ts'
import { allowanceOf, evaluateIncumbent, judge, replacing, USERS_MAX } from './gate.ts'
import { bundleFile } from './model-bundle.ts'
import { type FitOptions, type Fits, fitsOf } from './model-fits.ts'
import { K } from './ndcg.ts'
import { readPurchases } from './read-purchases.ts'
import { readSessions } from './read-sessions.ts'
import { readTrainingData } from './read-training-data.ts'
import { type ServingForm, servingFormsOf, servingReason } from './serving-report.ts'
import { fitting, SPARK_ALS, SPARK_ALS_DEFAULTS } from './spark-als-options.ts'
import type { SparkTrainer } from './spark-trainer.ts'
import { NO_CARTS, trainCarts } from './train-carts.ts'
import { NO_SESSIONS, trainSessions } from './train-sessions.ts'
import { taskRunnerFor, taskRunnerHere } from './training-thread.ts'

export interface TrainOptions {
  readonly lake: Lake
  readonly registry: Registry
  /** Fits a model beside those of this process; without it, and where it is away, there are these. */
  readonly spark?: SparkCompute | null
  readonly now: () => number
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
  /** Promote whatever comes out. */
  readonly force?: boolean
  /** See `TuneOptions`; against the model in place too, where only the new one is shortened. 0, quality alone, when not given. */
  readonly servingTolerance?: number
  /**
   * Where somebody waits: so many models are tried in the search at most, none on Spark and none of sessions. As many as the budget of
   * time allows when not given.
   */
  readonly trialsMax?: number | undefined
}

export interface TrainingReport {
  readonly version: ModelVersion
  readonly wasPromoted: boolean
  /** Metrics by algorithm on the held-out newest fifth. */
  readonly metrics: ModelVersion['metrics']
  /** Forms in which what the search found could be served, the cheapest first; empty where nothing was weighed. */
  readonly serving: readonly ServingForm[]
  readonly seconds: number
}

const TEST_SHARE = 0.2
/** Validation users of one trial at most. */
const VALIDATION_USERS_MAX = 2_000
/** CPU seconds of fitting models that are tried, as `tune` counts them. */
const TUNING_SECONDS_MAX = 15
/** Beyond so many interactions the defaults are used, without a search. */
const TUNED_INTERACTIONS_MAX = 2_000_000
/**
 * Trains from silver: splits by time, tunes the models on the newest part of the training data only, ranks everything
 * for the held-out users with every algorithm, Spark's ALS among them where there is a Spark, chooses the best, fits it again on all data and registers the version. It is promoted only when
 * it beats the baselines and the model in place on the same users; one in place that is outdated, holding the history of a shopper who was erased, is replaced
 * whatever comes out. Throws `TRAINING_NO_DATA`.
 */
export async function train(options: TrainOptions): Promise<TrainingReport> {
  const { lake, registry, now, onProgress, signal, servingTolerance = 0 } = options
  const startedAtMs = now()
  const step = (name: string) => (fraction: number) =>
    onProgress({ step: name, done: Math.round(100 * fraction), total: 100, unit: '%' })
  step('Reading silver')(0)
  const data = await readTrainingData(lake)
  step('Reading silver')(1)
  const split = timeSplit(data.interactions, TEST_SHARE)
  const cutMs = split.test.timesMs.reduce((first, ms) => Math.min(first, ms), Number.POSITIVE_INFINITY)
  const isQuick = options.trialsMax !== undefined
  await using tasks = isQuick ? taskRunnerHere(signal) : taskRunnerFor(data.interactions.users.length, signal)
  const sessions = isQuick ? null : await readSessions(lake, data.products)
  const findSessions = sessions && tasks.begin({ kind: 'sessions', log: sessions.log, cutMs })
  const spark = isQuick ? null : await sparkTrainer(options)
  const { serving, ...tuned } = tuneModels(split.train, {
    signal,
    onProgress: step('Tuning'),
    trialsMax: options.trialsMax,
    servingTolerance,
  })
  const fitAsFound = fitAll(data, tuned, tasks)
  const evaluated = evaluateAll(fitsOf(data, tuned, signal), split, {
    groups: data.groups,
    signal,
    onProgress: step('Evaluating'),
  })
  const { evaluations, models: past } = evaluated
  const found = {
    ...tuned,
    ...(await evaluateOnSpark(spark, split, { groups: data.groups, signal, ...evaluated })),
  }
  const incumbent = await evaluateIncumbent(registry, data, { split, spark, signal })
  step('Fitting on all data')(0)
  const { chosen, fitted, models } = await fitBest(data, {
    found,
    fitAsFound,
    incumbent,
    servingTolerance,
    spark,
    tasks,
    ...evaluated,
  })
  step('Fitting on all data')(1)
  step('Learning sessions')(0)
  const foundSessions = findSessions && (await findSessions())
  const ofSessions =
    sessions === null || foundSessions === null
      ? NO_SESSIONS
      : trainSessions(sessions.log, foundSessions, {
          products: data.products,
          shoppers: { chosen, products: data.products, models: past },
          cutMs,
          incumbent: incumbent?.serving ?? null,
          signal,
        })
  step('Learning sessions')(1)
  const ofCarts =
    sessions === null
      ? NO_CARTS
      : trainCarts(await readPurchases(lake, data.products, { version: sessions.version }), {
          products: data.products,
          shoppers: { chosen, products: data.products, models: past },
          cutMs,
          signal,
        })
  // The bundle is as large as they are: what is not asked any more goes before it is made.
  past.clear()
  await tasks[Symbol.asyncDispose]()
  const verdict = incumbent?.outdated
    ? replacing(chosen, evaluations, incumbent.version)
    : judge(chosen, evaluations, {
        incumbent,
        sessions: ofSessions,
        allowance: allowanceOf(chosen, fitted, { incumbent, servingTolerance }),
      })
  const problem = spark?.problem ?? null
  const isFound = chosen === found.choice.kind && fitted === found
  const reason = [
    verdict.reason,
    ...(problem === null ? [] : [`${SPARK_ALS} was left out: ${problem}`]),
    ...(isFound ? [servingReason(serving, servingTolerance)] : []),
  ]
    .filter((part) => part !== null)
    .join('; ')
  const cost = isFound ? serving.find((form) => form.is_chosen) : undefined
  const metrics = Object.fromEntries(
    [...evaluations].map(([kind, { metrics: values }]) => [
      kind,
      kind === chosen && cost ? { ...values, answer_cpu_us: cost.answer_cpu_us } : values,
    ]),
  )
  const registered = await registry.register(
    {
      kind: chosen,
      metrics,
      session: ofSessions.report,
      cart: ofCarts.report,
      params: {
        choice: fitted.choice,
        walk: fitted.walk,
        ...(chosen === SPARK_ALS ? { spark_als: fitted.sparkAls } : {}),
        test_share: TEST_SHARE,
      },
      table_versions: {
        ...data.tableVersions,
        ...(sessions === null ? {} : { 'silver.events': sessions.version }),
      },
      user_count: data.interactions.userCount,
      product_count: data.interactions.itemCount,
      interaction_count: data.interactions.users.length,
      trained_at: startedAtMs,
      reason,
    },
    bundleFile({ chosen, products: data.products, models, session: ofSessions.session, cart: ofCarts.cart }),
  )
  await writeMetrics(lake, registered)
  const wasPromoted = verdict.isBetter || options.force === true
  const why = verdict.isBetter ? reason : `promoted by force: ${reason}`
  const version = wasPromoted ? await registry.promote(registered.version, why) : registered
  return { version, wasPromoted, metrics, serving, seconds: (now() - startedAtMs) / 1000 }
}

/** The client of Spark is loaded only where it is used. */
async function sparkTrainer({ spark, ...options }: TrainOptions): Promise<SparkTrainer | null> {
  if (!spark) return null
  return new (await import('./spark-trainer.ts')).SparkTrainer(spark, options)
}

/** Options by nDCG and recall on the newest fifth of the training data; the test data stay unseen. */
function tuneModels(
  train: Interactions,
  {
    signal,
    onProgress,
    trialsMax,
    servingTolerance,
  }: {
    signal: AbortSignal
    onProgress: (fraction: number) => void
    trialsMax: number | undefined
    servingTolerance: number
  },
): FitOptions & { readonly serving: readonly ServingForm[] } {
  if (train.users.length > TUNED_INTERACTIONS_MAX)
    return { choice: { kind: 'low-pass', options: {} }, walk: {}, serving: [] }
  const tuned = tune(timeSplit(train, TEST_SHARE), {
    k: K,
    userLimit: VALIDATION_USERS_MAX,
    fitSecondsMax: TUNING_SECONDS_MAX,
    ...(trialsMax === undefined ? {} : { trialsMax }),
    servingTolerance,
    signal,
    onProgress,
  })
  const walk = tuned.best.map((one) => one.choice).find(({ kind }) => kind === 'walk')
  return {
    choice: tuned.choice,
    walk: walk?.kind === 'walk' ? walk.options : {},
    serving: servingFormsOf(tuned),
  }
}

function evaluateAll(
  fits: Fits,
  split: Split,
  options: {
    readonly groups: ItemGroups
    readonly signal: AbortSignal
    readonly onProgress: (fraction: number) => void
  },
): Evaluated {
  const { groups, signal, onProgress } = options
  const evaluations = new Map<string, Evaluation>()
  const models = new Map<string, Model>()
  for (const [kind, fit] of fits) {
    onProgress(evaluations.size / fits.size)
    const model = fit(split.train)
    models.set(kind, model)
    evaluations.set(kind, evaluate(model, split, K, { groups, signal, userLimit: USERS_MAX }))
  }
  onProgress(1)
  return { evaluations, models }
}

/** Chooses options on validation data, as `tuneModels` does, and adds the model to what was evaluated; nothing where Spark is away. */
async function evaluateOnSpark(
  spark: SparkTrainer | null,
  split: Split,
  {
    evaluations,
    models,
    ...options
  }: Evaluated & { readonly groups: ItemGroups; readonly signal: AbortSignal },
): Promise<Pick<FitOptions, 'sparkAls'>> {
  if (spark === null) return {}
  const { train } = split
  const isSearched = train.users.length <= TUNED_INTERACTIONS_MAX
  const sparkAls = isSearched
    ? await spark.search(timeSplit(train, TEST_SHARE))
    : fitting(SPARK_ALS_DEFAULTS, train)
  const model = sparkAls && (await spark.fit(train, sparkAls))
  if (!model) return {}
  models.set(SPARK_ALS, model)
  evaluations.set(SPARK_ALS, evaluate(model, split, K, { ...options, userLimit: USERS_MAX }))
  return { sparkAls }
}

async function writeMetrics(
  lake: Lake,
  { version, metrics, session, cart, trained_at }: ModelVersion,
): Promise<void> {
  const rows = Object.entries({ ...metrics, ...session?.metrics, ...cart?.metrics }).flatMap(
    ([kind, values]) =>
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
