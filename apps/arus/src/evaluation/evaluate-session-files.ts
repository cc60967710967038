import {
  evaluateSessions,
  fitSessionModel,
  lastDaySplit,
  type SessionEvents,
  type SessionModelSpec,
  type SessionSplit,
  sessionsByGap,
  type TunedSessions,
  tuneSessions,
} from '@arus/recommenders'
import { readSessionFile, type SessionColumns } from './files/session-file.ts'
import { cpuSecondsSince, type MeasuredModel, valuesOf } from './measured-model.ts'

/** Files of events with sessions in them. */
export interface SessionFiles {
  readonly file: string
  /** The sessions to predict; without it those that end in the last day of `file`. */
  readonly testFile?: string | undefined
  readonly columns: SessionColumns
  /** A pause so long begins a new session: for files that name visitors instead. */
  readonly gapMs?: number | undefined
}

/** Reads and splits; `note` is told of rows that could not be read. Throws `FILE_UNREADABLE`. */
export async function readSessionSplit(
  { file, testFile, columns, gapMs }: SessionFiles,
  note: (text: string) => void,
): Promise<SessionSplit> {
  const itemIndices = new Map<string, number>()
  const read = async (name: string) => {
    const { events, rowCount, broken } = await readSessionFile(name, columns, itemIndices)
    for (const [reason, { count, firstLine }] of broken)
      note(`${name}: ${count} of ${rowCount} rows left out, ${reason}; the first is line ${firstLine}`)
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

/** VMIS-kNN as it is published, untuned, to compare with. */
const REFERENCE: SessionModelSpec = { kind: 'vmis-knn', options: {} }
export const REFERENCE_NAME = 'vmis-knn, defaults'
export const SESSION_KINDS = [
  'popular',
  'trending',
  'sequential-rules',
  'session-item-knn',
  'vmis-knn',
  'vstan',
  'session-blend',
] as const

export interface EvaluateSessionsOptions {
  readonly k: number
  /** Names of models; all when null. */
  readonly models: readonly string[] | null
  /** No further model is tried after so long. */
  readonly timeLimitMs: number
  readonly userLimit: number
  readonly onProgress: (step: 'Searching' | 'Measuring', fraction: number) => void
  readonly signal: AbortSignal
}

/** Chooses on the last day of the training sessions, then fits the best of each kind and measures it on the test sessions. */
export function evaluateSessionSplit(
  split: SessionSplit,
  options: EvaluateSessionsOptions,
): {
  readonly measured: readonly MeasuredModel[]
  readonly tuned: TunedSessions
  readonly tuneCpuSeconds: number
} {
  const { k, models, timeLimitMs, signal, onProgress } = options
  const started = process.cpuUsage()
  const tuned = tuneSessions(lastDaySplit(split.train), {
    k,
    timeLimitMs,
    sessionLimit: 3_000,
    signal,
    onProgress: (fraction) => onProgress('Searching', fraction),
  })
  const tuneCpuSeconds = cpuSecondsSince(started)
  const named = [
    ...tuned.best.map(({ spec }) => ({ name: spec.kind as string, spec })),
    { name: REFERENCE_NAME, spec: REFERENCE },
  ].filter(({ name }) => models === null || models.includes(name))
  const measured = named.map((one, n) =>
    measure(one, split, {
      ...options,
      onProgress: (_, fraction) => onProgress('Measuring', (n + fraction) / named.length),
    }),
  )
  return { measured, tuned, tuneCpuSeconds }
}

function measure(
  { name, spec }: { readonly name: string; readonly spec: SessionModelSpec },
  split: SessionSplit,
  { k, userLimit, signal, onProgress }: EvaluateSessionsOptions,
): MeasuredModel {
  const started = process.cpuUsage()
  const model = fitSessionModel(spec, split.train, { signal })
  const fitCpuSeconds = cpuSecondsSince(started)
  const beforeAnswers = process.cpuUsage()
  const { metrics, halfWidths, bySession } = evaluateSessions(model, split, {
    k,
    sessionLimit: userLimit,
    signal,
    onProgress: (fraction) => onProgress('Measuring', fraction),
  })
  const intervals = Object.entries(halfWidths).map(([metric, half]) => [
    metric,
    { low: metrics[metric]! - half, high: metrics[metric]! + half },
  ])
  const scores = bySession[`mrr@${k}`]!
  return {
    name,
    options: spec.options as Readonly<Record<string, unknown>>,
    metrics: valuesOf(metrics, Object.fromEntries(intervals)),
    scores,
    userCount: scores.values.length,
    fitCpuSeconds,
    answersCpuSeconds: cpuSecondsSince(beforeAnswers),
  }
}
