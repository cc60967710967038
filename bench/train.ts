import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readLists, splitOf } from '../apps/arus/src/evaluation/files/list-file.ts'
import { evaluate, fitAls, fitWalk } from '../packages/recommenders/src/index.ts'
import { measurePythonPeer, printComparisons } from './measure.ts'

const folder = join(process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../shared/data'), 'gowalla')

/** implicit's usual number of iterations; its confidence and regularisation are told in `peers/als_implicit.py`. */
const PEER = { factors: 128, iterations: 15 }
const K = 20
/** Every n-th user is asked, of us and of them. */
const USER_STEP = 3

/** Fit times on Gowalla: the walk, and iALS against PyPI's `implicit` (one thread each) with its recall, in the same run. */
export async function benchTrain(): Promise<void> {
  const files = ['train.txt.gz', 'test.txt.gz'].map((name) => join(folder, name))
  if (!files.every((file) => existsSync(file))) {
    console.log(`\nTraining: skipped, ${files.join(' or ')} is not there`)
    return
  }
  const split = splitOf(await readLists(files[0]!), await readLists(files[1]!))
  const userLimit = Math.ceil(new Set(split.test.users).size / USER_STEP)
  const walkSeconds = cpuSecondsOf(() => fitWalk(split.train)).cpuSeconds
  const als = cpuSecondsOf(() => fitAls(split.train, ALS))
  const recall = evaluate(als.result, split, K, { userLimit }).metrics[`recall@${K}`]!
  const asked = [...files, ...[PEER.factors, PEER.iterations, USER_STEP].map(String)]
  const peer = await measurePythonPeer('als_implicit.py', asked, ['numpy', 'scipy', 'implicit'])
  const theirs: { readonly cpu_seconds: number; readonly recall: number } | null =
    peer && JSON.parse(peer.output)
  console.log(`\nGowalla, ${split.train.users.length} interactions; iALS with ${JSON.stringify(ALS)}`)
  console.log(`  walk ${walkSeconds.toFixed(1)} CPU s (budget: ≤ 6)`)
  printComparisons('iALS against implicit, one thread', [
    {
      what: 'fit',
      ours: als.cpuSeconds,
      theirs: theirs?.cpu_seconds,
      unit: 'CPU s',
      budget: '≤ 1, then ≤ 0.5',
    },
    {
      what: `recall@${K}`,
      ours: 100 * recall,
      theirs: theirs && 100 * theirs.recall,
      unit: '%',
      budget: '≥ 1',
    },
  ])
}

/** The same objective: 1 / 20 instead of a confidence of 20, and 50 / 20 as the ridge of a typical user. */
const ALS = { factorCount: 128, iterations: 8, unobservedWeight: 0.05, ridge: 0.0012 }

function cpuSecondsOf<T>(run: () => T): { readonly result: T; readonly cpuSeconds: number } {
  const before = process.cpuUsage()
  const result = run()
  const { user, system } = process.cpuUsage(before)
  return { result, cpuSeconds: (user + system) / 1e6 }
}

if (import.meta.main) await benchTrain()
