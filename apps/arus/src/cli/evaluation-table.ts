import { isSignificant, signed } from '../evaluation/conclude.ts'
import type { EvaluatedModel, EvaluationReport, ModelDifference } from '../evaluation/evaluation-report.ts'
import { servingTable } from './metrics-table.ts'
import { textTable } from './table.ts'

/** Metrics of the first table, with intervals; JSON and the lake have those of the others. */
const FIRST = ['recall', 'ndcg', 'mrr']

/** All models side by side, the best first, and what would be chosen, for a terminal. */
export function evaluationText(report: EvaluationReport): string {
  const { models, k, metric, user_count, data, data_version, split, left_out, serving, reason, chosen } =
    report
  const ofWhom = metric.startsWith('mrr') ? 'sessions' : 'shoppers'
  return [
    `${data} (${data_version}), split ${split}: ${user_count} test ${ofWhom}, all products ranked, lists of ${k}.`,
    firstTable(report),
    `± is half the 95 % interval. In ${metric}, by paired t-tests over the same ${ofWhom} with Holm’s correction: * differs from the best, ° from the one in production (p < 0.05).`,
    otherTable(models, k),
    ...(serving.length > 0
      ? [`Forms of what the search found, on validation data:\n\n${servingTable(serving)}`]
      : []),
    ...left_out.map(({ model, why }) => `Not measured: ${model}, ${why}.`),
    `Choice: ${chosen}. ${reason}.`,
    `Run ${report.run_id}, ${report.cpu_seconds.toFixed(0)} CPU s, ${(report.peak_memory_bytes / 2 ** 20).toFixed(0)} MB; rows in gold.evaluations.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function firstTable({ models, k }: EvaluationReport): string {
  const names = FIRST.filter((name) => models.some(({ metrics }) => `${name}@${k}` in metrics))
  const hasProduction = models.some(({ against_production }) => against_production !== null)
  return textTable(
    ['model', ...names, 'to best', ...(hasProduction ? ['to production'] : []), 'fit CPU s'],
    models.map((model) => [
      model.model,
      ...names.map((name) => valueWithInterval(model, `${name}@${k}`)),
      differenceText(model.against_best, '*'),
      ...(hasProduction ? [differenceText(model.against_production, '°')] : []),
      model.fit_cpu_seconds.toFixed(1),
    ]),
  )
}

/** Hit rate, average precision, coverage, novelty, diversity, popularity, calibration. */
function otherTable(models: readonly EvaluatedModel[], k: number): string {
  const found = new Set(models.flatMap(({ metrics }) => Object.keys(metrics)))
  const names = [...found].map((name) => name.replace(`@${k}`, '')).filter((name) => !FIRST.includes(name))
  return textTable(
    ['model', ...names],
    models.map(({ model, metrics }) => [
      model,
      ...names.map((name) => plainValue(metrics[`${name}@${k}`]?.value)),
    ]),
  )
}

function valueWithInterval({ metrics }: EvaluatedModel, name: string): string {
  const { value, low, high } = metrics[name] ?? { value: 0, low: null, high: null }
  const half = low === null || high === null ? '' : ` ±${((high - low) / 2).toFixed(4).replace(/^0/, '')}`
  return `${value.toFixed(4)}${half}`
}

function differenceText(difference: ModelDifference | null, mark: string): string {
  return difference === null ? '' : `${signed(difference.value)}${isSignificant(difference) ? mark : ''}`
}

/** Four digits that matter. */
function plainValue(value: number | undefined): string {
  if (value === undefined) return ''
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 2 : 4)
}
