import type { ModelVersion } from '../registry/registry.ts'
import { textTable } from './table.ts'

/** All algorithms side by side, best nDCG first. */
export function metricsTable(metrics: ModelVersion['metrics']): string {
  const names = [...new Set(Object.values(metrics).flatMap((values) => Object.keys(values)))]
  const ranked = Object.entries(metrics).sort(([, a], [, b]) => (b['ndcg@20'] ?? 0) - (a['ndcg@20'] ?? 0))
  const rows = ranked.map(([kind, values]) => [kind, ...names.map((name) => (values[name] ?? 0).toFixed(4))])
  return textTable(['model', ...names], rows)
}
