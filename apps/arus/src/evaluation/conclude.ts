import { type Comparison, compareWith, SIGNIFICANCE_LEVEL } from '@arus/recommenders'
import type { EvaluatedModel, EvaluationReport, ModelDifference } from './evaluation-report.ts'
import { finite, type MeasuredModel } from './measured-model.ts'

/** The name under which the model in service is measured. */
export const PRODUCTION = 'production'

export interface ConcludeOptions {
  /** By which models are compared. */
  readonly metric: string
  /** What was chosen on other data already; otherwise the best is. */
  readonly chosen?: { readonly model: string; readonly how: string }
  /** Why no model in service was measured: "no model is in production". */
  readonly withoutProduction?: string | undefined
}

export type Conclusion = Pick<EvaluationReport, 'models' | 'chosen' | 'reason'>

/** Puts models side by side: who is best, who differs from the best and from the one in service by more than chance, and which to take. */
export function conclude(measured: readonly MeasuredModel[], options: ConcludeOptions): Conclusion {
  const { metric } = options
  const ranked = [...measured].sort((a, b) => meanOf(b, metric) - meanOf(a, metric))
  const best = ranked[0]!
  const scores = new Map(ranked.map(({ name, scores: one }) => [name, one]))
  const againstBest = compareWith(scores, best.name)
  const againstProduction = compareWith(scores, PRODUCTION)
  const chosen = ranked.find(({ name }) => name === options.chosen?.model) ?? best
  return {
    models: ranked.map(
      ({ name, options: modelOptions, metrics, fitCpuSeconds }): EvaluatedModel => ({
        model: name,
        options: modelOptions,
        metrics,
        against_best: differenceOf(againstBest.get(name)),
        against_production: differenceOf(againstProduction.get(name)),
        fit_cpu_seconds: fitCpuSeconds,
      }),
    ),
    chosen: chosen.name,
    reason: [
      standingOf(chosen, best, options),
      othersOf(compareWith(scores, chosen.name)),
      ...serviceOf(chosen, againstProduction.get(chosen.name), options),
    ].join('; '),
  }
}

/** Whether a difference is more than chance would make. */
export function isSignificant({ p }: ModelDifference): boolean {
  return p < SIGNIFICANCE_LEVEL
}

function standingOf(chosen: MeasuredModel, best: MeasuredModel, { metric, chosen: before }: ConcludeOptions) {
  const { value, low, high } = chosen.metrics[metric]!
  const interval = low === null || high === null ? '' : ` (95 % ${low.toFixed(4)} to ${high.toFixed(4)})`
  const own = `${chosen.name} has ${metric} ${value.toFixed(4)}${interval}`
  const how = before === undefined ? '' : `${before.how}; on the test data `
  return `${how}${own}${chosen === best ? ', the highest' : `, below ${best.name}`}`
}

/** Which of the others might do as well. */
function othersOf(comparisons: ReadonlyMap<string, Comparison>): string {
  if (comparisons.size === 0) return 'nothing else was measured'
  const close = [...comparisons].filter(([, { pAdjusted }]) => !(pAdjusted < SIGNIFICANCE_LEVEL))
  if (close.length === 0) return 'it differs significantly from all others'
  const named = close.map(([name, { mean, pAdjusted }]) => `${name} (${signed(mean)}, ${pText(pAdjusted)})`)
  return `no more than chance from ${named.join(', ')}`
}

function serviceOf(
  chosen: MeasuredModel,
  comparison: Comparison | undefined,
  { withoutProduction }: ConcludeOptions,
): string[] {
  if (chosen.name === PRODUCTION) return ['it is the one in production']
  if (comparison === undefined) return withoutProduction === undefined ? [] : [withoutProduction]
  const { mean, low, high, pAdjusted } = comparison
  return [
    `${signed(mean)} (95 % ${signed(low)} to ${signed(high)}, ${pText(pAdjusted)}) against the model in production`,
  ]
}

function differenceOf(comparison: Comparison | undefined): ModelDifference | null {
  if (comparison === undefined) return null
  const { mean, low, high, pAdjusted } = comparison
  return { value: mean, low: finite(low), high: finite(high), p: pAdjusted }
}

function meanOf({ metrics }: MeasuredModel, metric: string): number {
  return metrics[metric]?.value ?? 0
}

/** With its sign, four decimals. */
export function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`
}

function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`
}
