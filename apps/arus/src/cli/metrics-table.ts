import type { ModelVersion } from '../registry/registry.ts'
import type { ServingForm } from '../training/serving-report.ts'
import { textTable } from './table.ts'

/** What a person looks at first; the registry and `gold.model_metrics` have them all. */
const SHOWN = ['recall', 'ndcg', 'map', 'hit_rate', 'mrr', 'coverage', 'novelty', 'diversity', 'popularity']

/** All algorithms side by side, best nDCG first. */
export function metricsTable(metrics: ModelVersion['metrics']): string {
  const found = new Set(Object.values(metrics).flatMap((values) => Object.keys(values)))
  const names = [...found].filter((name) => SHOWN.includes(name.split('@')[0]!))
  const ranked = Object.entries(metrics).sort(([, a], [, b]) => (b['ndcg@20'] ?? 0) - (a['ndcg@20'] ?? 0))
  const rows = ranked.map(([kind, values]) => [kind, ...names.map((name) => (values[name] ?? 0).toFixed(4))])
  return textTable(['model', ...names], rows)
}

/** Forms of what the search found, the cheapest first. */
export function servingTable(forms: readonly ServingForm[]): string {
  return textTable(
    ['form', 'validation score', 'CPU µs an answer', 'chosen'],
    forms.map(({ form, score, answer_cpu_us, is_chosen }) => [
      form,
      score.toFixed(4),
      answer_cpu_us,
      is_chosen ? 'yes' : '',
    ]),
  )
}
