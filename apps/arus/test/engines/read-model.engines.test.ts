/** `examples/python/read_model.py` answers as the models of this repository do, in a real Python with numpy. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  alsModelOf,
  BlendModel,
  fitAls,
  fitItemKnn,
  fitLowPass,
  fitPopular,
  fitTrending,
  fitWalk,
  IdTable,
  type Interactions,
  type Model,
  wholeFile,
} from '@arus/recommenders'
import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../../src/catalogue/seeded-random.ts'
import { openMlflowRegistry } from '../../src/registry/mlflow/mlflow-registry.ts'
import { bundleFile } from '../../src/training/model-bundle.ts'
import { repository } from '../end-to-end/running-arus.ts'

const python = process.env.ARUS_MLFLOW_PYTHON ?? 'python3'
const example = join(repository, 'examples/python')
const folder = mkdtempSync(join(tmpdir(), 'arus-read-model-'))
afterAll(() => rmSync(folder, { recursive: true }))

const random = seededRandom(7)
const USERS = 60
const PRODUCTS = 80
const products = IdTable.of(Array.from({ length: PRODUCTS }, (_, n) => `Ж${n}`))

/** Shoppers who stay with a tenth of the products, most of the time. */
const interactions = ((): Interactions => {
  const count = USERS * 12
  const users = Uint32Array.from({ length: count }, (_, n) => n % USERS)
  return {
    userCount: USERS,
    itemCount: PRODUCTS,
    users,
    items: users.map((user) =>
      random.next() < 0.8 ? (user % 10) * 8 + random.below(8) : random.below(PRODUCTS),
    ),
    weights: Float32Array.from({ length: count }, () => 1 + random.below(4)),
    timesMs: Float64Array.from({ length: count }, (_, n) => 1_770_000_000_000 + n * 60_000),
  }
})()

const models = new Map<string, Model>([
  ['popular', fitPopular(interactions)],
  ['trending', fitTrending(interactions)],
  ['walk', fitWalk(interactions, { neighbourCount: 20 })],
  ['item-knn', fitItemKnn(interactions)],
  ['low-pass', fitLowPass(interactions, { rank: 16 })],
  ['als', fitAls(interactions)],
  ['als-of-neighbours', fitAls(interactions, { scannedFloatsMax: 0 })],
  [
    // As `fitSparkAls` makes it of what MLlib fitted.
    'spark-als',
    alsModelOf(
      {
        itemCount: PRODUCTS,
        factorCount: 8,
        values: Float32Array.from({ length: PRODUCTS * 8 }, () => random.next() - 0.4),
      },
      { unobservedWeight: 0.2, ridge: 0.02, ridgeExponent: 1, objective: 'hu-2008' },
      interactions,
    ),
  ],
  ['short-low-pass', fitLowPass(interactions, { rank: 16 }).shortened(20)],
  [
    'blend',
    new BlendModel(
      [
        { model: fitWalk(interactions), weight: 0.4 },
        { model: fitLowPass(interactions, { rank: 16 }), weight: 0.6 },
      ],
      { recencyExponent: 0.5, depth: PRODUCTS },
    ),
  ],
])
const files = new Map([...models].map(([kind, model]) => [kind, model.file()]))
const bundle = wholeFile(bundleFile({ chosen: 'blend', products, models: files, session: null, cart: null }))

const histories = Array.from({ length: 20 }, (_, n) => ({
  items: Uint32Array.from({ length: n % 7 }, () => random.below(PRODUCTS)),
  weights: Float32Array.from({ length: n % 7 }, () => 1 + random.below(5) - (n % 3)),
}))

/** Standard output of a Python that can import the example. */
function runPython(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = { ...process.env, PYTHONPATH: example, PYTHONDONTWRITEBYTECODE: '1', ...more }
  return new Promise((resolve, reject) => {
    execFile(python, args, { env, maxBuffer: 2 ** 26 }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${error.message}\n${err}`)),
    )
  })
}

const ANSWER = `
import json, sys, read_model
bundle = read_model.Bundle.open(sys.argv[1])
asked = json.load(open(sys.argv[2]))
print(json.dumps([[bundle.recommend(history, 10, kind) for history in asked["histories"]] for kind in asked["kinds"]]))`

test('every kind gives the same best products, with scores that differ by rounding alone', async () => {
  const [file, asked] = [join(folder, 'bundle.arusmdl'), join(folder, 'asked.json')]
  writeFileSync(file, bundle)
  const named = histories.map(({ items, weights }) =>
    Array.from(items, (item, n) => [products.idOf(item), weights[n]]),
  )
  writeFileSync(asked, JSON.stringify({ kinds: [...models.keys()], histories: named }))
  const answers = JSON.parse(await runPython(['-c', ANSWER, file, asked])) as [string, number][][][]
  let answerCount = 0
  for (const [m, [kind, model]] of [...models].entries()) {
    for (const [h, history] of histories.entries()) {
      const { items, scores } = model.recommend(history, { k: PRODUCTS })
      const scoreOf = new Map(Array.from(items, (item, n) => [products.idOf(item), scores[n]!]))
      const theirs = answers[m]![h]!
      expect(theirs.length, `${kind} ${h}`).toBe(Math.min(10, items.length))
      for (const [n, [product, score]] of theirs.entries()) {
        // Rounding may put products of equal scores in another order; ALS solves equations in float32.
        const most = (kind.includes('als') ? 1e-4 : 1e-5) * scores[0]!
        expect(Math.abs(score - scores[n]!), `${kind} ${h}`).toBeLessThan(most)
        expect(Math.abs(score - scoreOf.get(product)!), `${kind} ${h}`).toBeLessThan(most)
      }
      answerCount += theirs.length
    }
  }
  expect(answerCount).toBeGreaterThan(500)
})

test('the command line says what is in a file, answers, writes arrays, and refuses what is damaged', async () => {
  const file = join(folder, 'bundle.arusmdl')
  writeFileSync(file, bundle)
  const script = join(example, 'read_model.py')
  expect(await runPython([script, file])).toContain('80 products; popular, trending, walk')
  const lines = (await runPython([script, file, 'Ж1', 'Ж2=3', '-k', '3', '--kind', 'walk']))
    .trim()
    .split('\n')
  const user = {
    items: Uint32Array.of(products.indexOf('Ж1'), products.indexOf('Ж2')),
    weights: Float32Array.of(1, 3),
  }
  expect(lines.map((line) => line.split('\t')[0])).toEqual(
    Array.from(models.get('walk')!.recommend(user, { k: 3 }).items, (item) => products.idOf(item)),
  )
  const npz = join(folder, 'model.npz')
  await runPython([script, file, '--npz', npz])
  const names = await runPython(['-c', `import numpy; print(*numpy.load("${npz}").files)`])
  expect(names).toMatch(/products .*walk\/values .*low-pass\/vectors .*blend\/part\/1\/columns/)
  writeFileSync(
    file,
    bundle.map((byte, n) => (n === bundle.length - 1 ? byte ^ 1 : byte)),
  )
  await expect(runPython([script, file])).rejects.toThrow(/checksum does not match/)
})

test("MLflow's own client finds what serves by its alias", async () => {
  const trackingUri = process.env.MLFLOW_TRACKING_URI ?? 'http://127.0.0.1:5000'
  const shop = `t${randomUUID().slice(0, 8)}`
  const registry = await openMlflowRegistry({
    settings: { trackingUri, username: null, password: null, token: null, cacheBytes: 2 ** 26 },
    shop,
    folder: join(folder, 'copies'),
    erasures: { erased: async () => [] },
  })
  const facts = { user_count: USERS, product_count: PRODUCTS, interaction_count: interactions.items.length }
  const { version } = await registry.register(
    {
      kind: 'blend',
      metrics: {},
      params: {},
      table_versions: {},
      ...facts,
      trained_at: 0,
      reason: 'for a test',
    },
    [bundle],
  )
  await registry.promote(version, 'for a test')
  const out = await runPython(
    [
      '-c',
      `import os, sys, mlflow, read_model
folder = mlflow.artifacts.download_artifacts(f"models:/arus-{sys.argv[1]}@production", dst_path=sys.argv[2])
print(len(read_model.Bundle.open(os.path.join(folder, "bundle.arusmdl")).products))`,
      shop,
      folder,
    ],
    { MLFLOW_TRACKING_URI: trackingUri, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' },
  )
  expect(out.trim().split('\n').at(-1)).toBe('80')
})
