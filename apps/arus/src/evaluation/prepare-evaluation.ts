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
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { Registry } from '../registry/registry.ts'
import { readTrainingData, type TrainingData } from '../training/read-training-data.ts'
import { refitOf } from '../training/refit.ts'
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
}

export interface PrepareOptions {
  readonly lake: () => Promise<Lake>
  readonly registry: () => Promise<Registry>
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
  const production = await productionModel(await options.registry(), data, signal)
  stepOf('Reading silver', options)(1)
  const divide = question.data.split === 'time' ? timeSplit : leaveLastOutSplit
  const split = divide(data.interactions)
  const why = 'why' in production ? production.why : undefined
  const fixed: InteractionsToEvaluate['fixed'] = [
    { name: 'trending', options: {}, fit: (train) => fitTrending(train, {}, { signal }) },
    { name: 'content', options: {}, fit: () => fitContent(data.features, {}, { signal }) },
    ...('why' in production ? [] : [production]),
  ]
  const versions = Object.entries(data.tableVersions).map(([table, version]) => `${table} ${version}`)
  return {
    data: 'silver.interactions',
    dataVersion: versions.join(', '),
    split: question.data.split,
    measure: () => ({
      ...measureInteractions(
        { split, validation: divide(split.train), fixed, groups: data.groups },
        { question, options, userLimit: SHOP_USERS_MAX },
      ),
      withoutProduction: why,
    }),
  }
}

/** The model in service, to be fitted as the others are, or why that cannot be. */
async function productionModel(
  registry: Registry,
  data: TrainingData,
  signal: AbortSignal,
): Promise<ModelToMeasure | { readonly why: string }> {
  const production = await registry.production()
  if (production === null) return { why: 'no model is in production' }
  const { version, kind } = production
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
  return {
    data: files.map((file) => basename(file)).join(', '),
    dataVersion,
    split: testFile === undefined ? 'leave-last-out' : 'given',
    measure: () =>
      measureInteractions(
        { split, validation: validationSplit(split.train), fixed: [] },
        { question, options, userLimit: Number.POSITIVE_INFINITY },
      ),
  }
}

function measureInteractions(
  data: InteractionsToEvaluate,
  {
    question,
    options,
    userLimit,
  }: { readonly question: EvaluationQuestion; readonly options: PrepareOptions; readonly userLimit: number },
): Measured {
  const { measured, leftOut } = evaluateInteractions(data, {
    k: question.k,
    models: question.models,
    budgetSeconds: question.budgetSeconds ?? BUDGET_SECONDS,
    validationUserLimit: VALIDATION_USERS,
    userLimit: question.userLimit ?? userLimit,
    onProgress: (step, fraction) => stepOf(step, options)(fraction),
    signal: options.signal,
  })
  return { measured, leftOut, metric: `ndcg@${question.k}` }
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
