import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Choice,
  evaluate,
  fitChoice,
  type Split,
  type Tuned,
  tune,
  validationSplit,
} from '../packages/recommenders/src/index.ts'
import { benchBaskets } from './quality/baskets.ts'
import { DATA_SETS } from './quality/data-sets.ts'
import { readLists, splitOf } from './quality/lists.ts'
import { benchSessions } from './quality/sessions.ts'

const shared = process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../shared/data')
const gowalla = join(shared, 'gowalla')

const K = 20
/** Users that the last round of a search is judged by; trials take a quarter. */
const VALIDATION_USERS = 3_000
/** CPU seconds of fitting in a search, as counted by `tune`. */
const FIT_SECONDS = 30

/** The whole automatic choice, then full-ranking quality, on LightGCN-style files (`user item item …`); Gowalla's published split where it is at hand. */
export async function benchQuality(
  trainFile: string = join(gowalla, 'train.txt.gz'),
  testFile: string = join(gowalla, 'test.txt.gz'),
): Promise<void> {
  if (!existsSync(trainFile) || !existsSync(testFile)) {
    console.log(`\nQuality: skipped, ${trainFile} or ${testFile} is not there`)
    return
  }
  const split = splitOf(readLists(trainFile), readLists(testFile))
  console.log(
    `\nQuality on ${trainFile}: ${split.train.users.length} train, ${split.test.users.length} test interactions`,
  )
  const before = process.cpuUsage()
  const tuned = tuneOn(split)
  const tuneCpuSeconds = cpuSecondsSince(before)
  console.log('On validation data (withheld from each user’s training items):')
  console.table(
    tuned.tried.map(({ choice, recencyExponent, score }) => ({
      model: choice.kind,
      options: JSON.stringify(choice.options),
      recencyExponent,
      score,
    })),
  )
  const walk = tuned.best.find(({ choice }) => choice.kind === 'walk')
  const baselines: Choice[] = [{ kind: 'popular', options: {} }, ...(walk ? [walk.choice] : [])]
  const rows = [...baselines, tuned.choice].map((choice) => measured(choice, split))
  console.log(`On test data; the choice is ${JSON.stringify(tuned.choice)}:`)
  console.table(rows)
  console.log('Budget (Gowalla): recall@20 ≥ .187, ndcg@20 ≥ .154; walk fit ≤ 6 CPU s')
  console.log(
    JSON.stringify({
      ...rows.at(-1),
      tune_cpu_seconds: tuneCpuSeconds,
      cpu_seconds: cpuSecondsSince(before),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
    }),
  )
}

/** `--all`: on every data set at hand, the best of each kind and the automatic choice, all on test data. */
function benchAll(names: readonly string[]): void {
  const summary: Record<string, string | number>[] = []
  for (const name of names) {
    const read = DATA_SETS[name]
    if (read === undefined) throw new TypeError(`${name} is none of ${Object.keys(DATA_SETS).join(', ')}`)
    const split = read(shared)
    const before = process.cpuUsage()
    const tuned = tuneOn(split)
    const tuneCpuSeconds = cpuSecondsSince(before)
    const singles = bestOfEachKind(tuned).map((choice) => measured(choice, split))
    const chosen = measured(tuned.choice, split)
    console.log(`\n${name}: ${split.train.userCount} users, ${split.train.itemCount} items`)
    console.table([...singles, { ...chosen, model: `choice: ${describe(tuned.choice)}` }])
    const best = singles.reduce((a, b) => (b[NDCG]! > a[NDCG]! ? b : a))
    summary.push({
      data: name,
      choice: describe(tuned.choice),
      [RECALL]: chosen[RECALL]!,
      [NDCG]: chosen[NDCG]!,
      best_single: best.model,
      [`its_${RECALL}`]: best[RECALL]!,
      [`its_${NDCG}`]: best[NDCG]!,
      tune_cpu_seconds: tuneCpuSeconds,
    })
  }
  console.log('\nThe automatic choice against the single model that the test data favour:')
  console.table(summary)
}

/** Those of the last round, and of the kinds that were not in it, the best of their trials. */
function bestOfEachKind({ best, tried }: Tuned): Choice[] {
  const byKind = new Map<string, Choice>(best.map(({ choice }) => [choice.kind, choice]))
  for (const { choice } of tried.toSorted((a, b) => b.score - a.score))
    if (!byKind.has(choice.kind)) byKind.set(choice.kind, choice)
  return [...byKind.values()]
}

const RECALL = `recall@${K}`
const NDCG = `ndcg@${K}`

function tuneOn({ train }: Split): Tuned {
  return tune(validationSplit(train), { k: K, userLimit: VALIDATION_USERS, fitSecondsMax: FIT_SECONDS })
}

function measured(choice: Choice, split: Split): Record<string, number> & { readonly model: string } {
  const started = process.cpuUsage()
  const model = fitChoice(choice, split.train)
  const fitCpuSeconds = cpuSecondsSince(started)
  const { metrics } = evaluate(model, split, K)
  return { model: choice.kind, ...metrics, fit_cpu_seconds: fitCpuSeconds } as never
}

function describe(choice: Choice): string {
  if (choice.kind !== 'blend') return choice.kind
  const parts = choice.parts.map(({ choice: { kind }, weight }) => `${weight} ${kind}`).join(' + ')
  return choice.recencyExponent === 0 ? parts : `${parts}, recency ${choice.recencyExponent}`
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
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
    },
    allowPositionals: true,
  })
  if (values.baskets) await benchBaskets(shared)
  else if (values.all) benchAll(positionals.length > 0 ? positionals : Object.keys(DATA_SETS))
  else await benchQuality(values.train, values.test)
}
