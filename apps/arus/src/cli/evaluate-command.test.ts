import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettings } from '../config/settings.ts'
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { CliContext } from './context.ts'
import { evaluateCommand } from './evaluate-command.ts'

const ENTRY = join(import.meta.dirname, '../server/evaluation-process.ts')

let folder = ''
let lake: Lake
let printed: string[] = []
let abort: AbortController
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-evaluate-command-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  printed = []
  abort = new AbortController()
})
afterEach(async () => {
  await lake.close()
  await lake.duckdb.close()
  rmSync(folder, { recursive: true, force: true })
})

async function run(args: readonly string[], onProgress: OnProgress = () => {}): Promise<string> {
  const context = {
    parts: { settings: readSettings({ ARUS_DATA_DIR: folder }, folder), lake: async () => lake },
    signal: abort.signal,
    onProgress,
    out: (text: string) => void printed.push(text),
    note: () => {},
  } as unknown as CliContext
  await evaluateCommand(context, ENTRY)
    .exitOverride()
    .parseAsync([...args], { from: 'user' })
  return printed.join('\n')
}

/** Users of two groups, each with six of the eight items of their group, in an order of their own. */
function listFile(userCount: number): string {
  const lines = Array.from({ length: userCount }, (_, user) =>
    [`u${user}`, ...Array.from({ length: 6 }, (_, n) => `i${(user % 2) * 8 + ((user + 3 * n) % 8)}`)].join(
      ' ',
    ),
  )
  const file = join(folder, 'lists.txt')
  writeFileSync(file, lines.join('\n'))
  return file
}

describe('arus evaluate', () => {
  test('computes in a process of its own, prints the table with the choice, and writes the lake', async () => {
    const steps = new Set<string>()
    const text = await run(['--train', listFile(60), '--models', 'popular,walk', '--k', '3'], ({ step }) =>
      steps.add(step),
    )
    expect([...steps]).toEqual(['Reading files', 'Searching', 'Measuring'])
    expect(text).toMatch(/^lists\.txt \(sha256 [0-9a-f]{12}\), split leave-last-out: 60 test shoppers/)
    expect(text).toMatch(/\nwalk +\d\.\d{4} ±\.\d{4} /)
    expect(text).toMatch(/\npopular .* −0\.\d{4}\* /)
    expect(text).toContain('paired t-tests over the same shoppers with Holm’s correction')
    expect(text).toMatch(/Choice: walk\. walk has ndcg@3 .*, the highest; it differs significantly/)
    const tables = await lake.describe()
    expect(tables.find(({ name }) => name === 'gold.evaluations')?.rowCount).toBeGreaterThan(20)
  })

  test('--json prints all of it', async () => {
    const report = JSON.parse(
      await run(['--train', listFile(60), '--models', 'popular', '--json']),
    ) as EvaluationReport
    expect(report).toMatchObject({ chosen: 'popular', k: 20, metric: 'ndcg@20', user_count: 60 })
    expect(report.models[0]!.metrics['recall@20']).toEqual({
      value: expect.any(Number),
      low: expect.any(Number),
      high: expect.any(Number),
    })
  })

  test('stopped, it ends its process and writes nothing', async () => {
    const stopped = run(['--train', listFile(20_000)], ({ step }) => {
      if (step === 'Searching') abort.abort(new TypeError('stopped'))
    })
    await expect(stopped).rejects.toThrow('stopped')
    expect((await lake.describe()).map(({ name }) => name)).not.toContain('gold.evaluations')
  })

  test('what does not go together is refused in words', async () => {
    for (const [args, message] of [
      [['--models', 'foo'], /"foo" here; there are popular/],
      [['--test', 'x'], /--test goes with --train/],
      [['--train', 'x', '--split', 'time'], /no times to be split by/],
      [['--columns', 'a,b,c'], /go with --sessions/],
      [['--sessions', 'x'], /--sessions goes with --columns/],
      [['--sessions', 'x', '--columns', 'a,b'], /three names/],
      [['--train', 'nowhere.txt'], /nowhere\.txt cannot be opened/],
    ] as const)
      await expect(run(args)).rejects.toThrow(message)
  })
})
