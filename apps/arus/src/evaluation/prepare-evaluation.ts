import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  fitContent,
  fitTrending,
  leaveLastOutSplit,
  type Split,
  timeSplit,
  validationSplit,
} from '@arus/recommenders'
import type { SparkCompute } from '../compute/spark-compute.ts'
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { Registry } from '../registry/registry.ts'
import { readTrainingData, type TrainingData } from '../training/read-training-data.ts'
import { refitOf, refitOnSpark } from '../training/refit.ts'
import { type ServingForm, servingFormsOf } from '../training/serving-report.ts'
import { SPARK_ALS } from '../training/spark-als-options.ts'
import type { SparkTrainer } from '../training/spark-trainer.ts'
import { type ConcludeOptions, PRODUCTION } from './conclude.ts'
import { evaluateInteractions, type InteractionsToEvaluate } from './evaluate-interactions.ts'
import { evaluateSessionSplit, readSessionSplit } from './evaluate-session-files.ts'
import type { LeftOut } from './evaluation-report.ts'
import { interactionsOf, readLists, splitOf } from './files/list-file.ts'
import type { MeasuredModel, ModelToMeasure } from './measured-model.ts'
import type { EvaluationData, EvaluationQuestion } from './question.ts'

/** Data read, and what remains to be computed: nothing is open any more. */
export interface PreparedEvaluation {
  readonly data: string
  readonly dataVersion: string
  readonly split: string
  measure(): Measured
}

interface Measured extends ConcludeOptions {
  readonly measured: readonly MeasuredModel[]
  readonly leftOut: readonly LeftOut[]
  readonly serving: readonly ServingForm[]
}

export interface PrepareOptions {
  readonly lake: () => Promise<Lake>
  readonly registry: () => Promise<Registry>
  /** Asked for what is fitted on Spark, before anything is measured. */
  readonly spark: () => Promise<SparkCompute | null>
  /** See `TuneOptions`. */
  readonly servingTolerance: number
  readonly onProgress: OnProgress
  /** Told of rows of files that cannot be read. */
  readonly note: (text: string) => void
  readonly signal: AbortSignal
}

type Of<K extends EvaluationData['kind']> = EvaluationQuestion & {
  readonly data: Extract<EvaluationData, { readonly kind: K }>
}

/** CPU seconds of fitting in a search. */
const BUDGET_SECONDS = 30
/** Of sessions: seconds after which no model is tried any more. */
const SESSIONS_BUDGET_SECONDS = 600
/** Test shoppers of the shop at most, as in training. Of files all are asked, as in papers. */
const SHOP_USERS_MAX = 5_000
const VALIDATION_USERS = 3_000

/** Reads what a question is about. Throws `TRAINING_NO_DATA`, `FILE_UNREADABLE`. */
export function prepareEvaluation(
  question: EvaluationQuestion,
  options: PrepareOptions,
): Promise<PreparedEvaluation> {
  const { data } = question
  if (data.kind === 'shop') return prepareShop({ ...question, data }, options)
  if (data.kind === 'lists') return prepareLists({ ...question, data }, options)
  return prepareSessions({ ...question, data }, options)
}

async function prepareShop(question: Of<'shop'>, options: PrepareOptions): Promise<PreparedEvaluation> {
  const { signal } = options
  stepOf('Reading silver', options)(0)
  const data = await readTrainingData(await options.lake())
  stepOf('Reading silver', options)(1)
  const divide = question.data.split === 'time' ? timeSplit : leaveLastOutSplit
  const split = divide(data.interactions)
  const validation = divide(split.train)
  const spark = await sparkTrainer(options)
  const production = await productionModel(await options.registry(), data, { split, spark, signal })
  const onSpark = await fitOnSpark(spark, { split, validation }, question)
  const why = 'why' in production ? production.why : undefined
  const fixed: InteractionsToEvaluate['fixed'] = [
    { name: 'trending', options: {}, fit: (train) => fitTrending(train, {}, { signal }) },
    { name: 'content', options: {}, fit: () => fitContent(data.features, {}, { signal }) },
    ...('why' in production ? [] : [production]),
    ...onSpark.fixed,
  ]
  const versions = Object.entries(data.tableVersions).map(([table, version]) => `${table} ${version}`)
  return {
    data: 'silver.interactions',
    dataVersion: versions.join(', '),
    split: question.data.split,
    measure: () => ({
      ...measureInteractions(
        { split, validation, fixed, groups: data.groups },
        { question, options, userLimit: SHOP_USERS_MAX, leftOut: onSpark.leftOut },
      ),
      withoutProduction: why,
    }),
  }
}

/** The model in service, to be fitted as the others are, or why that cannot be. */
async function productionModel(
  registry: Registry,
  data: TrainingData,
  {
    split,
    spark,
    signal,
  }: { readonly split: Split; readonly spark: SparkTrainer | null; readonly signal: AbortSignal },
): Promise<ModelToMeasure | { readonly why: string }> {
  const production = await registry.production()
  if (production === null) return { why: 'no model is in production' }
  const { version, kind } = production
  const onSpark = refitOnSpark(production, spark)
  const model = await onSpark?.fit(split.train)
  if (model) return { name: PRODUCTION, options: { version, kind, ...onSpark?.options }, fit: () => model }
  if (model === null)
    return { why: `version ${version}, in production, cannot be fitted while Spark is away` }
  const refit = refitOf(production, data, signal)
  if (refit === null)
    return { why: `version ${version}, in production, cannot be fitted again: train a new one` }
  return { name: PRODUCTION, options: { version, kind, ...refit.options }, fit: refit.fit }
}

async function prepareLists(question: Of<'lists'>, options: PrepareOptions): Promise<PreparedEvaluation> {
  const { trainFile, testFile } = question.data
  stepOf('Reading files', options)(0)
  const train = await readLists(trainFile)
  const split: Split =
    testFile === undefined
      ? leaveLastOutSplit(interactionsOf(train))
      : splitOf(train, await readLists(testFile))
  const files = testFile === undefined ? [trainFile] : [trainFile, testFile]
  const dataVersion = await fingerprintOf(files)
  stepOf('Reading files', options)(1)
  const validation = validationSplit(split.train)
  const { fixed, leftOut } = await fitOnSpark(await sparkTrainer(options), { split, validation }, question)
  return {
    data: files.map((file) => basename(file)).join(', '),
    dataVersion,
    split: testFile === undefined ? 'leave-last-out' : 'given',
    measure: () =>
      measureInteractions(
        { split, validation, fixed },
        { question, options, userLimit: Number.POSITIVE_INFINITY, leftOut },
      ),
  }
}

/** The client of Spark is loaded only where it is used. */
async function sparkTrainer({ spark, ...options }: PrepareOptions): Promise<SparkTrainer | null> {
  const compute = await spark()
  return compute && new (await import('../training/spark-trainer.ts')).SparkTrainer(compute, options)
}

/** Spark's ALS, its options chosen on validation data, fitted already: what is measured is computed in one go, without any engine. */
async function fitOnSpark(
  spark: SparkTrainer | null,
  { split, validation }: Pick<InteractionsToEvaluate, 'split' | 'validation'>,
  { models }: EvaluationQuestion,
): Promise<{ readonly fixed: readonly ModelToMeasure[]; readonly leftOut: readonly LeftOut[] }> {
  if (models !== null && !models.includes(SPARK_ALS)) return { fixed: [], leftOut: [] }
  if (spark === null) {
    const leftOut = models === null ? [] : [{ model: SPARK_ALS, why: 'SPARK_REMOTE names no Spark' }]
    return { fixed: [], leftOut }
  }
  const options = await spark.search(validation)
  const model = options && (await spark.fit(split.train, options))
  if (!model) return { fixed: [], leftOut: [{ model: SPARK_ALS, why: spark.problem ?? 'Spark is away' }] }
  return { fixed: [{ name: SPARK_ALS, options: { ...options }, fit: () => model }], leftOut: [] }
}

function measureInteractions(
  data: InteractionsToEvaluate,
  {
    question,
    options,
    userLimit,
    leftOut,
  }: {
    readonly question: EvaluationQuestion
    readonly options: PrepareOptions
    readonly userLimit: number
    /** Before anything was measured. */
    readonly leftOut: readonly LeftOut[]
  },
): Measured {
  const { measured, ...found } = evaluateInteractions(data, {
    k: question.k,
    models: question.models,
    budgetSeconds: question.budgetSeconds ?? BUDGET_SECONDS,
    validationUserLimit: VALIDATION_USERS,
    servingTolerance: options.servingTolerance,
    userLimit: question.userLimit ?? userLimit,
    onProgress: (step, fraction) => stepOf(step, options)(fraction),
    signal: options.signal,
  })
  return {
    measured,
    leftOut: [...leftOut, ...found.leftOut],
    serving: found.tuned === null ? [] : servingFormsOf(found.tuned),
    metric: `ndcg@${question.k}`,
  }
}

async function prepareSessions(
  question: Of<'sessions'>,
  options: PrepareOptions,
): Promise<PreparedEvaluation> {
  const { file, testFile } = question.data
  stepOf('Reading files', options)(0)
  const split = await readSessionSplit(question.data, options.note)
  const files = testFile === undefined ? [file] : [file, testFile]
  const dataVersion = await fingerprintOf(files)
  stepOf('Reading files', options)(1)
  return {
    data: files.map((name) => basename(name)).join(', '),
    dataVersion,
    split: testFile === undefined ? 'last-day' : 'given',
    measure() {
      const { measured, tuned } = evaluateSessionSplit(split, {
        k: question.k,
        models: question.models,
        timeLimitMs: (question.budgetSeconds ?? SESSIONS_BUDGET_SECONDS) * 1000,
        userLimit: question.userLimit ?? Number.POSITIVE_INFINITY,
        onProgress: (step, fraction) => stepOf(step, options)(fraction),
        signal: options.signal,
      })
      const model = tuned.choice.spec.kind
      return {
        measured,
        leftOut: [],
        serving: [],
        metric: `mrr@${question.k}`,
        ...(measured.some(({ name }) => name === model)
          ? { chosen: { model, how: 'chosen on validation data by hit rate and MRR' } }
          : {}),
      }
    },
  }
}

function stepOf(step: string, { onProgress }: PrepareOptions) {
  return (fraction: number) => onProgress({ step, done: Math.round(100 * fraction), total: 100, unit: '%' })
}

/** The first twelve digits of each file's SHA-256. */
async function fingerprintOf(files: readonly string[]): Promise<string> {
  const digests = files.map(async (file) => {
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash)
    return `sha256 ${hash.digest('hex').slice(0, 12)}`
  })
  return (await Promise.all(digests)).join(', ')
}
