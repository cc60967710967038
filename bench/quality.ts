import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  CHOICE,
  type EvaluateInteractionsOptions,
  evaluateInteractions,
} from '../apps/arus/src/evaluation/evaluate-interactions.ts'
import { readLists, splitOf } from '../apps/arus/src/evaluation/files/list-file.ts'
import { cpuSecondsSince, type MeasuredModel } from '../apps/arus/src/evaluation/measured-model.ts'
import { choiceText, servingFormsOf } from '../apps/arus/src/training/serving-report.ts'
import { type Split, validationSplit } from '../packages/recommenders/src/index.ts'
import { benchBaskets } from './quality/baskets.ts'
import { DATA_SETS } from './quality/data-sets.ts'
import { benchSessions } from './quality/sessions.ts'

const shared = process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../shared/data')
const gowalla = join(shared, 'gowalla')

const K = 20
/** Users that the last round of a search is judged by; trials take a quarter. */
const VALIDATION_USERS = 3_000
/** CPU seconds of fitting in a search, as counted by `tune`. */
const FIT_SECONDS = 30

/**
 * The whole automatic choice, then full-ranking quality, on LightGCN-style files (`user item item …`); Gowalla's published split where it is
 * at hand. Quality alone decides unless a tolerance for cheaper answers is told.
 */
export async function benchQuality(
  trainFile: string = join(gowalla, 'train.txt.gz'),
  testFile: string = join(gowalla, 'test.txt.gz'),
  servingTolerance = 0,
): Promise<void> {
  if (!existsSync(trainFile) || !existsSync(testFile)) {
    console.log(`\nQuality: skipped, ${trainFile} or ${testFile} is not there`)
    return
  }
  const split = splitOf(await readLists(trainFile), await readLists(testFile))
  console.log(
    `\nQuality on ${trainFile}: ${split.train.users.length} train, ${split.test.users.length} test interactions`,
  )
  const before = process.cpuUsage()
  // Only what is told is measured: on Gowalla each further model takes half a minute.
  const { tuned, chosen, others, tuneCpuSeconds } = evaluateOn(
    split,
    ['popular', 'walk', CHOICE],
    servingTolerance,
  )
  console.log('On validation data (withheld from each user’s training items):')
  console.table(
    tuned.tried.map(({ choice, recencyExponent, score }) => ({
      model: choice.kind,
      options: JSON.stringify(choice.options),
      recencyExponent,
      score,
    })),
  )
  if (tuned.serving.length > 0) {
    console.log(`Forms of what ranked best, the cheapest within ${100 * servingTolerance} % is taken:`)
    console.table(servingFormsOf(tuned))
  }
  console.log(`On test data; the choice is ${JSON.stringify(tuned.choice)}:`)
  console.table([...others, chosen].map(rowOf))
  console.log('Budget (Gowalla): recall@20 ≥ .187, ndcg@20 ≥ .154; walk fit ≤ 6 CPU s')
  console.log(
    JSON.stringify({
      ...rowOf(chosen),
      tune_cpu_seconds: tuneCpuSeconds,
      cpu_seconds: cpuSecondsSince(before),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
    }),
  )
}

/** `--all`: on every data set at hand, the best of each kind and the automatic choice, all on test data. */
async function benchAll(names: readonly string[]): Promise<void> {
  const summary: Record<string, string | number>[] = []
  for (const name of names) {
    const read = DATA_SETS[name]
    if (read === undefined) throw new TypeError(`${name} is none of ${Object.keys(DATA_SETS).join(', ')}`)
    const split = await read(shared)
    const { tuned, chosen, others, tuneCpuSeconds } = evaluateOn(split, null)
    console.log(`\n${name}: ${split.train.userCount} users, ${split.train.itemCount} items`)
    const choice = choiceText(tuned.choice)
    console.table([...others.map(rowOf), { ...rowOf(chosen), model: `choice: ${choice}` }])
    const best = others.reduce((a, b) => (meanOf(b, NDCG) > meanOf(a, NDCG) ? b : a))
    summary.push({
      data: name,
      choice,
      [RECALL]: meanOf(chosen, RECALL),
      [NDCG]: meanOf(chosen, NDCG),
      best_single: best.name,
      [`its_${RECALL}`]: meanOf(best, RECALL),
      [`its_${NDCG}`]: meanOf(best, NDCG),
      tune_cpu_seconds: tuneCpuSeconds,
    })
  }
  console.log('\nThe automatic choice against the single model that the test data favour:')
  console.table(summary)
}

const RECALL = `recall@${K}`
const NDCG = `ndcg@${K}`

/** The automatic choice among all kinds, and those of `models` (all when null) beside it. */
function evaluateOn(split: Split, models: EvaluateInteractionsOptions['models'], servingTolerance = 0) {
  const { measured, tuned, tuneCpuSeconds } = evaluateInteractions(
    { split, validation: validationSplit(split.train), fixed: [] },
    {
      k: K,
      models,
      budgetSeconds: FIT_SECONDS,
      validationUserLimit: VALIDATION_USERS,
      servingTolerance,
      userLimit: Number.POSITIVE_INFINITY,
      onProgress: () => {},
      signal: new AbortController().signal,
    },
  )
  const chosen = measured.find(({ name }) => name === tuned!.choice.kind)!
  return { tuned: tuned!, chosen, others: measured.filter((one) => one !== chosen), tuneCpuSeconds }
}

function rowOf({ name, metrics, fitCpuSeconds }: MeasuredModel): Record<string, number | string> {
  const values = Object.entries(metrics).map(([metric, { value }]) => [metric, value])
  return { model: name, ...Object.fromEntries(values), fit_cpu_seconds: fitCpuSeconds }
}

function meanOf({ metrics }: MeasuredModel, metric: string): number {
  return metrics[metric]?.value ?? 0
}

if (import.meta.main && process.argv.some((argument) => argument.startsWith('--sessions'))) {
  await benchSessions(process.argv.slice(2))
} else if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      train: { type: 'string' },
      test: { type: 'string' },
      all: { type: 'boolean' },
      baskets: { type: 'boolean' },
      'tolerance-percent': { type: 'string', default: '0' },
    },
    allowPositionals: true,
  })
  if (values.baskets) await benchBaskets(shared)
  else if (values.all) await benchAll(positionals.length > 0 ? positionals : Object.keys(DATA_SETS))
  else await benchQuality(values.train, values.test, Number(values['tolerance-percent']) / 100)
}
