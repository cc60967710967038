import { parseArgs } from 'node:util'
import {
  evaluateSessions,
  fitSessionModel,
  lastDaySplit,
  type SessionEvaluation,
  type SessionEvents,
  type SessionModelSpec,
  type SessionSplit,
  sessionsByGap,
  type TriedSessionModel,
  tuneSessions,
} from '../../packages/recommenders/src/index.ts'
import { parseColumns, readSessionFile, type SessionColumns } from './session-file.ts'
import { FileProblem } from './text-records.ts'

const K = 20
/** No further model is tried after so long. */
const TUNE_MINUTES = 10
const TABLE_ROWS = 20
/** VMIS-kNN as it is published, untuned, to compare with. */
const REFERENCE: SessionModelSpec = { kind: 'vmis-knn', options: {} }

const USAGE =
  'npm run bench:quality -- --sessions FILE --columns session,item,time [--test FILE] [--gap-minutes N] [--minutes N]'

/** `bench:quality -- --sessions …`: the whole automatic choice on sessions, then all models on the test sessions. */
export async function benchSessions(args: readonly string[]): Promise<void> {
  try {
    await run(optionsOf(args))
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
}

interface Options {
  readonly file: string
  readonly testFile?: string
  readonly columns: SessionColumns
  readonly gapMs?: number
  readonly timeLimitMs: number
}

async function run(options: Options): Promise<void> {
  const before = process.cpuUsage()
  const split = await readSplit(options)
  const validation = lastDaySplit(split.train)
  console.log(
    `\nSessions of ${options.file}: ${counts(split.train)} to learn from, ${counts(split.test)} to predict`,
  )
  console.log(`Validation: the newest ${validation.test.sessionCount} of the sessions to learn from`)
  const tuned = tuneSessions(validation, {
    k: K,
    timeLimitMs: options.timeLimitMs,
    sessionLimit: 3_000,
  })
  console.table(tuned.tried.slice(0, TABLE_ROWS).map(validationRow))
  const tuneCpuSeconds = cpuSecondsSince(before)
  const rows = [...tuned.best.map(({ spec }) => spec), REFERENCE].map((spec) => testRow(spec, split))
  console.log(
    `On test data, lists of ${K}, each prefix predicts the next item; the choice is ${tuned.choice.spec.kind}:`,
  )
  console.table(rows.map(({ shown }) => shown))
  console.log(JSON.stringify(tuned.choice.spec))
  const { evaluation } = rows[0]!
  if (evaluation.predictionCount === 0)
    console.log('Nothing was measured: no test session has two events of items in the training data')
  console.log(
    JSON.stringify({
      kind: tuned.choice.spec.kind,
      [`hit@${K}`]: evaluation.metrics[`hit_rate@${K}`],
      ...evaluation.metrics,
      predictions: evaluation.predictionCount,
      tune_cpu_seconds: tuneCpuSeconds,
      cpu_seconds: cpuSecondsSince(before),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1_024,
    }),
  )
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parse(args)
  if (values.sessions === undefined || values.columns === undefined) throw new FileProblem(`Usage: ${USAGE}`)
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
    throw new FileProblem(`${(error as Error).message}\nUsage: ${USAGE}`)
  }
}

function minutes(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new FileProblem(`${name} takes a number above 0; found "${text}"`)
  return value * 60_000
}

async function readSplit({ file, testFile, columns, gapMs }: Options): Promise<SessionSplit> {
  const itemIndices = new Map<string, number>()
  const read = async (name: string) => {
    const { events, rowCount, broken } = await readSessionFile(name, columns, itemIndices)
    for (const [reason, { count, firstLine }] of broken)
      console.log(`${name}: ${count} of ${rowCount} rows left out, ${reason}; the first is line ${firstLine}`)
    return events
  }
  const all = await read(file)
  const test = testFile === undefined ? undefined : await read(testFile)
  const whole = (events: typeof all): SessionEvents => {
    const sessions = { ...events, itemCount: itemIndices.size }
    return gapMs === undefined ? sessions : sessionsByGap(sessions, gapMs)
  }
  return test === undefined ? lastDaySplit(whole(all)) : { train: whole(all), test: whole(test) }
}

function validationRow({ spec, evaluation }: TriedSessionModel) {
  return { kind: spec.kind, ...mainMetrics(evaluation), options: describe(spec) }
}

function testRow(spec: SessionModelSpec, split: SessionSplit) {
  const beforeFit = process.cpuUsage()
  const model = fitSessionModel(spec, split.train)
  const fitCpuSeconds = cpuSecondsSince(beforeFit)
  const beforeAnswers = process.cpuUsage()
  const evaluation = evaluateSessions(model, split, { k: K })
  const answersCpuSeconds = cpuSecondsSince(beforeAnswers)
  return {
    evaluation,
    shown: {
      model: spec === REFERENCE ? `${spec.kind}, defaults` : spec.kind,
      ...mainMetrics(evaluation),
      recall: rounded(evaluation.metrics[`recall@${K}`]!),
      ndcg: rounded(evaluation.metrics[`ndcg@${K}`]!),
      map: rounded(evaluation.metrics[`map@${K}`]!),
      coverage: rounded(evaluation.metrics[`coverage@${K}`]!),
      fit_cpu_s: rounded(fitCpuSeconds),
      cpu_us_per_answer: Math.round((answersCpuSeconds * 1e6) / Math.max(1, evaluation.predictionCount)),
    },
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

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
