import type { Lake } from '../lake/lake.ts'
import type { EvaluationReport } from './evaluation-report.ts'

/** What of a run is written. */
export type WrittenEvaluation = Pick<
  EvaluationReport,
  'run_id' | 'evaluated_at' | 'data' | 'data_version' | 'split' | 'user_count' | 'chosen' | 'models'
>

/** Appends a run to `gold.evaluations`, a row for each model and metric. */
export async function writeEvaluation(lake: Pick<Lake, 'write'>, report: WrittenEvaluation): Promise<void> {
  const rows = report.models.flatMap(({ model, options, metrics }) =>
    Object.entries(metrics).map(([metric, { value, low, high }]) =>
      [
        text(model),
        text(JSON.stringify(options)),
        text(metric),
        ...[value, low, high].map(number),
        model === report.chosen,
      ].join(', '),
    ),
  )
  await lake.write(
    'gold.evaluations',
    `SELECT ${text(report.run_id)} AS run_id, make_timestamp(${report.evaluated_at} * 1000)::TIMESTAMPTZ AS evaluated_at,
       ${text(report.data)} AS data, ${text(report.data_version)} AS data_version, ${text(report.split)} AS split, model, options, metric,
       value::DOUBLE AS value, low::DOUBLE AS low, high::DOUBLE AS high, ${report.user_count}::BIGINT AS users, is_chosen
     FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) v(model, options, metric, value, low, high, is_chosen)`,
    { mode: 'append' },
  )
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

function number(value: number | null): string {
  return value === null ? 'NULL' : `${value}::DOUBLE`
}
