import type { QueryEngine } from '../query/query-engine.ts'
import { type Experiment, METRICS, type Metric } from './experiment.ts'
import { type Judgement, judge, type VariantCounts } from './judge.ts'
import { outcomeSql, runPeriodOf, shadowSql } from './outcome-sql.ts'
import type { Moments } from './sequential-test.ts'

/** What was counted of a variant, and how it answered. */
export interface VariantResult extends VariantCounts {
  readonly answers: number
  /** Of these, answered by production in the variant's place. */
  readonly fell_back: number
}

/** How a model in the shadow compares with what was answered. */
export interface ShadowResult {
  readonly variant: string
  /** Answers that both gave. */
  readonly answers: number
  /** Mean share of products in common. */
  readonly overlap: number
  /** Mean; 1: the same in the same order, 0: none in common. */
  readonly rank_agreement: number
  /** Milliseconds, half of the answers and 99 in 100. */
  readonly answer_ms_p50: number | null
  readonly answer_ms_p99: number | null
  readonly shadow_ms_p50: number | null
  readonly shadow_ms_p99: number | null
  /** Later clicks of the same shoppers within the window, and how many of them were on products in the answer, and in the shadow's. */
  readonly clicks: number
  readonly shown_hits: number
  readonly shadow_hits: number
  /** The same for clicks that no recommendation led to: what was shown has no advantage there. */
  readonly elsewhere_clicks: number
  readonly elsewhere_shown_hits: number
  readonly elsewhere_shadow_hits: number
}

/** What an experiment has come to, as far as the lake knows. */
export interface ExperimentResults {
  /** Null for a shadow, where nobody was treated. */
  readonly judgement: Judgement | null
  /** In the order of the plan; empty for a shadow. */
  readonly variants: readonly VariantResult[]
  readonly shadows: readonly ShadowResult[]
  /** Shoppers first exposed before this moment count, UTC ms; null while nobody does. */
  readonly counted_until: number | null
  readonly as_of: { readonly table_versions: Readonly<Record<string, number>>; readonly took_ms: number }
}

/** Asks the lake what came of an experiment that was started. */
export function experimentResults(
  query: QueryEngine,
  experiment: Experiment,
  nowMs: number,
): Promise<ExperimentResults> {
  return experiment.mode === 'shadow'
    ? resultsOfShadow(query, experiment, nowMs)
    : resultsOfTest(query, experiment, nowMs)
}

async function resultsOfTest(
  query: QueryEngine,
  experiment: Experiment,
  nowMs: number,
): Promise<ExperimentResults> {
  const { rows, as_of } = await ask(
    query,
    outcomeSql(query.dialect, runPeriodOf(experiment, nowMs), nowMs),
    experiment.id,
  )
  const byName = new Map(rows.map((row) => [row.variant, row]))
  const variants = experiment.variants.map(({ name }) => variantOf(name, byName.get(name) ?? {}))
  const counted = rows.map(({ counted_until }) => counted_until).find((at) => typeof at === 'number')
  return {
    judgement: judge(experiment, variants),
    variants,
    shadows: [],
    counted_until: (counted as number | undefined) ?? null,
    as_of,
  }
}

async function resultsOfShadow(
  query: QueryEngine,
  experiment: Experiment,
  nowMs: number,
): Promise<ExperimentResults> {
  const { rows, as_of } = await ask(
    query,
    shadowSql(query.dialect, runPeriodOf(experiment, nowMs)),
    experiment.id,
  )
  return {
    judgement: null,
    variants: [],
    shadows: rows as unknown as ShadowResult[],
    counted_until: null,
    as_of,
  }
}

type Row = Readonly<Record<string, unknown>>

async function ask(query: QueryEngine, sql: string, id: string) {
  const { columns, rows, table_versions, took_ms } = await query.query(sql, { params: [id] })
  return {
    rows: rows.map((row): Row => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]))),
    as_of: { table_versions: { ...table_versions }, took_ms: Math.round(took_ms * 1_000) / 1_000 },
  }
}

function variantOf(name: string, row: Row): VariantResult {
  const number = (column: string) => Number(row[column] ?? 0)
  const momentsOf = (metric: Metric): Moments => ({
    count: number(`${metric}_count`),
    mean: number(`${metric}_mean`),
    variance: number(`${metric}_variance`),
  })
  return {
    name,
    units: number('units'),
    answers: number('answers'),
    fell_back: number('fell_back'),
    metrics: Object.fromEntries(METRICS.map((metric) => [metric, momentsOf(metric)])) as Record<
      Metric,
      Moments
    >,
  }
}
