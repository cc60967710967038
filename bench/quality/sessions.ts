import { parseArgs } from 'node:util'
import { ArusError } from '../../apps/arus/src/errors.ts'
import {
  evaluateSessionSplit,
  readSessionSplit,
  type SessionFiles,
} from '../../apps/arus/src/evaluation/evaluate-session-files.ts'
import { parseColumns } from '../../apps/arus/src/evaluation/files/session-file.ts'
import { cpuSecondsSince, type MeasuredModel } from '../../apps/arus/src/evaluation/measured-model.ts'
import type {
  SessionEvaluation,
  SessionEvents,
  SessionModelSpec,
  TriedSessionModel,
} from '../../packages/recommenders/src/index.ts'

const K = 20
/** No further model is tried after so long. */
const TUNE_MINUTES = 10
const TABLE_ROWS = 20

const USAGE =
  'npm run bench:quality -- --sessions FILE --columns session,item,time [--test FILE] [--gap-minutes N] [--minutes N]'

/** `bench:quality -- --sessions …`: the whole automatic choice on sessions, then all models on the test sessions. */
export async function benchSessions(args: readonly string[]): Promise<void> {
  try {
    await run(optionsOf(args))
  } catch (error) {
    if (!(error instanceof ArusError)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
}

interface Options extends SessionFiles {
  readonly timeLimitMs: number
}

async function run(options: Options): Promise<void> {
  const before = process.cpuUsage()
  const split = await readSessionSplit(options, (text) => console.log(text))
  console.log(
    `\nSessions of ${options.file}: ${counts(split.train)} to learn from, ${counts(split.test)} to predict`,
  )
  const { measured, tuned, tuneCpuSeconds } = evaluateSessionSplit(split, {
    k: K,
    models: null,
    timeLimitMs: options.timeLimitMs,
    userLimit: Number.POSITIVE_INFINITY,
    onProgress: () => {},
    signal: new AbortController().signal,
  })
  console.log('On validation data, the newest of the sessions to learn from:')
  console.table(tuned.tried.slice(0, TABLE_ROWS).map(validationRow))
  const { spec } = tuned.choice
  console.log(`On test data, lists of ${K}, each prefix predicts the next item; the choice is ${spec.kind}:`)
  console.table(measured.map(testRow))
  console.log(JSON.stringify(spec))
  const chosen = measured.find(({ name }) => name === spec.kind)!
  const predictions = chosen.scores.sizes!.reduce((sum, size) => sum + size, 0)
  if (predictions === 0)
    console.log('Nothing was measured: no test session has two events of items in the training data')
  const metrics = Object.fromEntries(Object.entries(chosen.metrics).map(([name, { value }]) => [name, value]))
  console.log(
    JSON.stringify({
      kind: spec.kind,
      [`hit@${K}`]: metrics[`hit_rate@${K}`],
      ...metrics,
      predictions,
      tune_cpu_seconds: tuneCpuSeconds,
      cpu_seconds: cpuSecondsSince(before),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1_024,
    }),
  )
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parse(args)
  if (values.sessions === undefined || values.columns === undefined)
    throw new ArusError('REQUEST_INVALID', `Usage: ${USAGE}`)
  const gapMs = minutes(values['gap-minutes'], '--gap-minutes')
  return {
    file: values.sessions,
    columns: parseColumns(values.columns),
    ...(values.test === undefined ? {} : { testFile: values.test }),
    ...(gapMs === undefined ? {} : { gapMs }),
    timeLimitMs: minutes(values.minutes, '--minutes') ?? TUNE_MINUTES * 60_000,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: { sessions: text, columns: text, test: text, 'gap-minutes': text, minutes: text },
    })
  } catch (error) {
    throw new ArusError('REQUEST_INVALID', `${(error as Error).message}\nUsage: ${USAGE}`)
  }
}

function minutes(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new ArusError('REQUEST_INVALID', `${name} takes a number above 0; found "${text}"`)
  return value * 60_000
}

function validationRow({ spec, evaluation }: TriedSessionModel) {
  return { kind: spec.kind, ...mainMetrics(evaluation), options: describe(spec) }
}

function testRow({ name, metrics, fitCpuSeconds, answersCpuSeconds, scores }: MeasuredModel) {
  const value = (metric: string) => rounded(metrics[`${metric}@${K}`]!.value)
  const withHalf = (metric: string) => {
    const { high } = metrics[`${metric}@${K}`]!
    return `${value(metric).toFixed(4)} ± ${(high! - value(metric)).toFixed(4)}`
  }
  const predictions = scores.sizes!.reduce((sum, size) => sum + size, 0)
  return {
    model: name,
    hit: withHalf('hit_rate'),
    mrr: withHalf('mrr'),
    recall: value('recall'),
    ndcg: value('ndcg'),
    map: value('map'),
    coverage: value('coverage'),
    fit_cpu_s: rounded(fitCpuSeconds),
    cpu_us_per_answer: Math.round((answersCpuSeconds * 1e6) / Math.max(1, predictions)),
  }
}

/** Hit rate and MRR with half the width of their 95 % intervals. */
function mainMetrics({ metrics, halfWidths }: SessionEvaluation) {
  const shown = (name: string) =>
    `${rounded(metrics[name]!).toFixed(4)} ± ${rounded(halfWidths[name]!).toFixed(4)}`
  return { hit: shown(`hit_rate@${K}`), mrr: shown(`mrr@${K}`) }
}

function describe(spec: SessionModelSpec): string {
  if (spec.kind === 'session-blend')
    return spec.options.parts.map(({ weight, spec: part }) => `${weight} ${part.kind}`).join(' + ')
  return Object.entries(spec.options)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
}

function counts({ sessionCount, items }: SessionEvents): string {
  return `${sessionCount} sessions with ${items.length} events of ${new Set(items).size} items`
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
