import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { evaluate, fitWalk, timeSplit, type WalkOptions } from '@arus/recommenders'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openSqliteDatabase } from '../database/sqlite-database.ts'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openRegistry } from '../registry/lake-registry.ts'
import type { Registry } from '../registry/registry.ts'
import { readTrainingData } from '../training/read-training-data.ts'
import { writeHistory } from '../training/test-history.ts'
import { train } from '../training/train.ts'
import type { EvaluationReport } from './evaluation-report.ts'
import { prepareEvaluation } from './prepare-evaluation.ts'
import { assertModels, type EvaluationQuestion } from './question.ts'
import { runEvaluation } from './run-evaluation.ts'
import { writeEvaluation } from './write-evaluation.ts'

const signal = new AbortController().signal
let folder = ''
let duckdb: DuckDb
let lake: Lake
let database: ArusDatabase
let registry: Registry
let notes: string[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-evaluation-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  database = await openSqliteDatabase({ file: join(folder, 'arus.sqlite') })
  registry = openRegistry({ database, folder: join(folder, 'models') })
  notes = []
})
afterEach(async () => {
  await database.destroy()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

async function evaluated(question: Partial<EvaluationQuestion> = {}): Promise<EvaluationReport> {
  const whole: EvaluationQuestion = {
    data: { kind: 'shop', split: 'time' },
    k: 10,
    models: ['popular', 'content', 'walk', 'production'],
    budgetSeconds: 1,
    userLimit: null,
    ...question,
  }
  const prepared = await prepareEvaluation(whole, {
    lake: async () => lake,
    registry: async () => registry,
    spark: async () => null,
    servingTolerance: 0.02,
    onProgress: () => {},
    note: (text) => void notes.push(text),
    signal,
  })
  return runEvaluation(prepared, { k: whole.k, runId: 'run-1', evaluatedAtMs: 1_000 })
}

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const modelsOf = ({ models }: EvaluationReport) => models.map(({ model }) => model)

describe('of the shop', () => {
  test('models side by side with categories, and in the lake', async () => {
    await writeHistory(lake, 1, 0.9)
    const report = await evaluated()
    expect(report).toMatchObject({
      data: 'silver.interactions',
      data_version: 'silver.interactions 1, silver.products 1',
      split: 'time',
      metric: 'ndcg@10',
    })
    expect(report.reason).toContain('no model is in production')
    expect(new Set(modelsOf(report))).toEqual(new Set(['popular', 'content', 'walk']))
    expect(report.models.at(-1)!.model).toBe('popular')
    const values = Object.fromEntries(report.models.map(({ model, metrics }) => [model, metrics]))
    // Content stays within the category of nine in ten of what a shopper did.
    const diversityOf = (model: string) => values[model]!['diversity@10']!.value
    expect(diversityOf('content')).toBeLessThan(diversityOf('popular') - 0.2)
    expect(values.popular!['miscalibration@10']!.value).toBeGreaterThan(
      values.content!['miscalibration@10']!.value,
    )
    expect(values.popular!['coverage@10']).toMatchObject({ low: null, high: null })

    await writeEvaluation(lake, report)
    const { sql } = await lake.relation('gold.evaluations')
    const connection = await duckdb.connect()
    const rows = await connection.runAndReadAll(
      `SELECT model, value, low, high, users::INTEGER, is_chosen FROM ${sql} WHERE metric = 'ndcg@10' AND run_id = 'run-1' ORDER BY value DESC`,
    )
    expect(rows.getRows()).toEqual(
      report.models.map(({ model, metrics }) => {
        const { value, low, high } = metrics['ndcg@10']!
        return [model, value, low, high, report.user_count, model === report.chosen]
      }),
    )
    connection.closeSync()
  })

  test('the model in production is fitted on the training part, as the others are', async () => {
    await writeHistory(lake, 1, 0.9)
    await train({ lake, registry, now: () => 1_000, onProgress: () => {}, signal, trialsMax: 3 })
    const { version, kind, params } = (await registry.production())!
    const report = await evaluated({ models: ['popular', 'production', 'choice'] })
    const production = report.models.find(({ model }) => model === 'production')!
    expect(production.options).toMatchObject({ version, kind })
    expect(report.models.find(({ model }) => model === 'popular')!.against_production!.value).toBeLessThan(0)
    const { interactions } = await readTrainingData(lake)
    const split = timeSplit(interactions)
    expect(kind).toBe('walk')
    const { metrics } = evaluate(fitWalk(split.train, params.walk as WalkOptions), split, 10)
    expect(production.metrics['ndcg@10']!.value).toBeCloseTo(metrics['ndcg@10']!, 12)
  })

  test('leave-last-out asks for one product of each shopper', async () => {
    await writeHistory(lake, 1, 0.9)
    const { models, split } = await evaluated({ data: { kind: 'shop', split: 'leave-last-out' } })
    expect(split).toBe('leave-last-out')
    for (const { metrics } of models) expect(metrics['recall@10']!.value).toBe(metrics['hit_rate@10']!.value)
  })

  test('names of models are checked', () => {
    const data = { kind: 'shop', split: 'time' } as const
    expect(() => assertModels({ data, models: ['walk', 'content', 'production'] })).not.toThrow()
    expect(() => assertModels({ data, models: ['vstan'] })).toThrow(/"vstan" here; there are popular, walk/)
    expect(() => assertModels({ data: { kind: 'lists', trainFile: 'a' }, models: ['content'] })).toThrow()
  })
})

describe('of files', () => {
  /** 40 users of two groups: each has six of the eight items of their group. */
  const lines = (from: number, to: number) =>
    Array.from({ length: 40 }, (_, user) =>
      [
        `u${user}`,
        ...Array.from({ length: 8 }, (_, n) => `i${(user % 2) * 8 + ((user + 3 * n) % 8)}`).slice(from, to),
      ].join(' '),
    ).join('\n')

  test('lists with a split that is given, plain or gzip', async () => {
    const data = {
      kind: 'lists',
      trainFile: file('train.txt', lines(0, 6)),
      testFile: file('test.txt.gz', gzipSync(lines(6, 8))),
    } as const
    const report = await evaluated({ data, models: null, k: 2 })
    expect(report).toMatchObject({ data: 'train.txt, test.txt.gz', split: 'given', user_count: 40 })
    expect(report.data_version).toMatch(/^sha256 [0-9a-f]{12}, sha256 [0-9a-f]{12}$/)
    expect(report.models[0]!.metrics['recall@2']!.value).toBe(1)
    expect(report.models.at(-1)).toMatchObject({ model: 'popular' })
    expect(modelsOf(report)).toEqual(expect.arrayContaining(['walk', 'ease', 'als', 'item-knn', 'low-pass']))
  })

  test('without a test file the last of each list is the test', async () => {
    const data = { kind: 'lists', trainFile: file('all.txt', lines(0, 8)) } as const
    const { models, split } = await evaluated({ data, models: ['walk'], k: 1 })
    expect(split).toBe('leave-last-out')
    expect(models[0]!.metrics['recall@1']!.value).toBe(1)
  })

  test('what no budget is left for is told', async () => {
    const data = { kind: 'lists', trainFile: file('all.txt', lines(0, 8)) } as const
    const { left_out } = await evaluated({ data, models: ['walk', 'ease'], budgetSeconds: 1e-9 })
    expect(left_out).toEqual([{ model: 'ease', why: expect.stringContaining('budget') }])
  })

  test('nobody to ask, and files that are not there, are told in words', async () => {
    const data = { kind: 'lists', trainFile: file('one.txt', 'u1 i1\nu2 i2') } as const
    await expect(evaluated({ data, models: ['popular'] })).rejects.toMatchObject({
      code: 'TRAINING_NO_DATA',
      message: expect.stringContaining('nobody has both a past and something new'),
    })
    const missing = { kind: 'lists', trainFile: join(folder, 'none.txt') } as const
    await expect(evaluated({ data: missing })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  test('sessions: chosen on validation data, measured on the last day', async () => {
    const rows = Array.from({ length: 400 }, (_, n) => `s${n >> 2},i${((n >> 2) % 5) + (n % 4)},${n * 1_000}`)
    const data = {
      kind: 'sessions',
      file: file('sessions.csv', ['session,item,time', 'broken', ...rows].join('\n')),
      columns: { session: 'session', item: 'item', time: 'time' },
    } as const
    const report = await evaluated({ data, models: null, k: 3 })
    expect(report).toMatchObject({ split: 'last-day', metric: 'mrr@3' })
    expect(report.reason).toMatch(/^chosen on validation data/)
    expect(modelsOf(report)).toEqual(expect.arrayContaining(['vstan', 'popular', 'vmis-knn, defaults']))
    expect(report.models.at(-1)!.against_best!.p).toBeLessThan(0.05)
    expect(notes.join()).toContain('1 of 401 rows left out')
  })
})
