import {
  evaluate,
  type Interactions,
  type ItemGroups,
  type Model,
  type Split,
  type UnitScores,
} from '@arus/recommenders'
import type { MeasuredValue } from './evaluation-report.ts'

/** A model with all it needs but data. */
export interface ModelToMeasure {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  readonly fit: (train: Interactions) => Pick<Model, 'recommend' | 'itemCount'>
}

/** What it did on the test data. */
export interface MeasuredModel {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  readonly metrics: Readonly<Record<string, MeasuredValue>>
  /** The metric of choice by unit. */
  readonly scores: UnitScores
  readonly userCount: number
  readonly fitCpuSeconds: number
  /** Of all answers, measuring included. */
  readonly answersCpuSeconds: number
}

export interface MeasureOptions {
  readonly k: number
  /** Test shoppers at most. */
  readonly userLimit: number
  readonly groups?: ItemGroups | undefined
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void
  readonly signal: AbortSignal
}

/** Fits and measures one model after the other, so that the memory is that of one. */
export function measureModels(
  models: readonly ModelToMeasure[],
  split: Split,
  options: MeasureOptions,
): MeasuredModel[] {
  return models.map((model, n) =>
    measureModel(model, split, {
      ...options,
      onProgress: (fraction) => options.onProgress((n + fraction) / models.length),
    }),
  )
}

function measureModel(
  { name, options, fit }: ModelToMeasure,
  split: Split,
  { k, userLimit, groups, onProgress, signal }: MeasureOptions,
): MeasuredModel {
  onProgress(0)
  const started = process.cpuUsage()
  const model = fit(split.train)
  const fitCpuSeconds = cpuSecondsSince(started)
  const beforeAnswers = process.cpuUsage()
  const evaluation = evaluate(model, split, k, {
    userLimit,
    ...(groups === undefined ? {} : { groups }),
    signal,
    onProgress: (fraction) => onProgress(0.3 + 0.7 * fraction),
  })
  onProgress(1)
  return {
    name,
    options,
    metrics: valuesOf(evaluation.metrics, evaluation.intervals),
    scores: { values: evaluation.byUser[`ndcg@${k}`]! },
    userCount: evaluation.users.length,
    fitCpuSeconds,
    answersCpuSeconds: cpuSecondsSince(beforeAnswers),
  }
}

/** Values with their intervals, where they have them: those of a single unit are unbounded. */
export function valuesOf(
  metrics: Readonly<Record<string, number>>,
  intervals: Readonly<Record<string, { readonly low: number; readonly high: number }>>,
): Record<string, MeasuredValue> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      { value, low: finite(intervals[name]?.low), high: finite(intervals[name]?.high) },
    ]),
  )
}

/** Null for what is not a finite number, as JSON has it. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}

/** CPU seconds of this process since `process.cpuUsage()` gave `before`. */
export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
