import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import {
  evaluate,
  fitLowPass,
  fitPopular,
  fitWalk,
  type Interactions,
  lastOfEachSplit,
  tune,
} from '../packages/recommenders/src/index.ts'
import { benchSessions } from './quality/sessions.ts'

const gowalla = join(
  process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../shared/data'),
  'gowalla',
)

const K = 20
/** Users that a candidate is judged by. */
const VALIDATION_USERS = 6_000

/** The whole automatic choice, then full-ranking quality, on LightGCN-style files (`user item item …`); Gowalla's published split where it is at hand. */
export async function benchQuality(
  trainFile: string = join(gowalla, 'train.txt.gz'),
  testFile: string = join(gowalla, 'test.txt.gz'),
): Promise<void> {
  if (!existsSync(trainFile) || !existsSync(testFile)) {
    console.log(`\nQuality: skipped, ${trainFile} or ${testFile} is not there`)
    return
  }
  const pairs = { train: readPairs(trainFile), test: readPairs(testFile) }
  const size = { userCount: maxOf(pairs, 'users') + 1, itemCount: maxOf(pairs, 'items') + 1 }
  const split = { train: interactionsOf(pairs.train, size), test: interactionsOf(pairs.test, size) }
  console.log(
    `\nQuality on ${trainFile}: ${split.train.users.length} train, ${split.test.users.length} test interactions`,
  )
  const before = process.cpuUsage()
  const validation = lastOfEachSplit(split.train)
  const tuned = tune(validation, { k: K, userLimit: VALIDATION_USERS })
  console.log('On validation data (the last fifth of each user’s training items):')
  console.table(
    tuned.tried.map(({ kind, options, metrics }) => ({ kind, options: JSON.stringify(options), ...metrics })),
  )
  const models = [
    { model: 'popular', train: () => fitPopular(split.train) },
    { model: 'walk', train: () => fitWalk(split.train, tuned.walk) },
    { model: 'low-pass', train: () => fitLowPass(split.train, tuned.lowPass) },
  ]
  const tuneCpuSeconds = cpuSecondsSince(before)
  const rows = models.map(({ model, train }) => {
    const started = process.cpuUsage()
    const fitted = train()
    const fitCpuSeconds = cpuSecondsSince(started)
    return { model, ...evaluate(fitted, split, K).metrics, fit_cpu_seconds: fitCpuSeconds }
  })
  console.log(`On test data; the choice is ${tuned.kind}:`)
  console.table(rows)
  console.log('Budget (Gowalla): recall@20 ≥ .187, ndcg@20 ≥ .154; walk fit ≤ 6 CPU s')
  console.log(
    JSON.stringify({
      ...rows.find(({ model }) => model === tuned.kind),
      tune_cpu_seconds: tuneCpuSeconds,
      cpu_seconds: cpuSecondsSince(before),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
    }),
  )
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

interface Pairs {
  readonly users: number[]
  readonly items: number[]
}

function readPairs(file: string): Pairs {
  const bytes = readFileSync(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const pairs: Pairs = { users: [], items: [] }
  for (const line of text.split('\n')) {
    const [user, ...items] = line.trim().split(/\s+/).map(Number)
    for (const item of items) {
      pairs.users.push(user ?? 0)
      pairs.items.push(item)
    }
  }
  return pairs
}

function maxOf(pairs: { readonly train: Pairs; readonly test: Pairs }, side: keyof Pairs): number {
  return [...pairs.train[side], ...pairs.test[side]].reduce((most, value) => Math.max(most, value), 0)
}

function interactionsOf(
  { users, items }: Pairs,
  size: { readonly userCount: number; readonly itemCount: number },
): Interactions {
  return {
    ...size,
    users: Uint32Array.from(users),
    items: Uint32Array.from(items),
    weights: new Float32Array(users.length).fill(1),
    timesMs: new Float64Array(users.length),
  }
}

if (import.meta.main && process.argv.some((argument) => argument.startsWith('--sessions'))) {
  await benchSessions(process.argv.slice(2))
} else if (import.meta.main) {
  const { values } = parseArgs({ options: { train: { type: 'string' }, test: { type: 'string' } } })
  await benchQuality(values.train, values.test)
}
