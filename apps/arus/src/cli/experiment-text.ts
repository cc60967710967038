import type { ExperimentDetailBody } from '../api-schema/index.ts'
import { textTable } from './table.ts'

type Results = NonNullable<ExperimentDetailBody['results']>
type Comparison = Results['comparisons'][number]
type Compared = Comparison['primary'] | Comparison['guardrails'][number]

const VERDICTS: Readonly<Record<string, string>> = {
  undecided: 'undecided',
  better: 'better',
  worse: 'worse',
  no_difference: 'no difference worth having',
  invalid: 'invalid',
}

/** An experiment and its results, for people. */
export function explainedExperiment(experiment: ExperimentDetailBody): string {
  const { results } = experiment
  if (results === null) return `${headOf(experiment)}\nA draft: nobody was treated yet.`
  const sections =
    experiment.mode === 'shadow'
      ? [headOf(experiment), shadowsOf(results)]
      : [
          headOf(experiment),
          variantsOf(experiment, results),
          comparisonsOf(results),
          verdictOf(experiment, results),
        ]
  return sections.join('\n\n')
}

function headOf({ id, name, mode, status, scenarios, traffic, ...experiment }: ExperimentDetailBody): string {
  const where = scenarios.length === 0 ? 'all scenarios' : scenarios.join(', ')
  const run = [
    ...(experiment.started_at === null ? [] : [`started ${timeOf(experiment.started_at)}`]),
    ...(experiment.stopped_at === null ? [] : [`stopped ${timeOf(experiment.stopped_at)}`]),
  ]
  const stopped = experiment.stop_reason === null ? '' : `\n${experiment.stop_reason}`
  return `${name} (${id}): ${mode === 'shadow' ? 'shadow' : 'A/B test'} on ${where}, ${percent(traffic)} of the traffic
${[status, ...run].join(', ')}${stopped}`
}

function variantsOf(
  { variants: planned }: ExperimentDetailBody,
  { variants, counted_until }: Results,
): string {
  const table = textTable(
    [
      'variant',
      'model',
      'shoppers',
      'counted',
      'answers',
      'fell back',
      'clicked',
      'bought',
      'revenue each',
      'ms',
      'fallback',
    ],
    variants.map(({ name, units, answers, fell_back, metrics }, i) => [
      name,
      String(planned[i]?.model_version ?? 'production'),
      units,
      metrics.conversion.count,
      answers,
      fell_back,
      percent(metrics.click_through.mean),
      percent(metrics.conversion.mean),
      metrics.revenue.mean.toFixed(2),
      metrics.latency.mean.toFixed(2),
      percent(metrics.fallback_rate.mean),
    ]),
  )
  const counted =
    counted_until === null
      ? 'Nobody counts yet: the window of the first shopper is not over.'
      : `Counted are shoppers first exposed before ${timeOf(counted_until)}, whose window is over.`
  return `${table}\n${counted}`
}

function comparisonsOf({ comparisons }: Results): string {
  return textTable(
    ['variant', 'metric', 'control', 'variant’s', 'lift', 'from', 'to', 'p', 'says'],
    comparisons.flatMap(({ variant, verdict, primary, guardrails }) => [
      rowOf(variant, primary, VERDICTS[verdict] ?? verdict),
      ...guardrails.map((one) => rowOf(variant, one, `guardrail (${percent(one.max_loss)}): ${one.state}`)),
    ]),
  )
}

function rowOf(variant: string, compared: Compared, says: string): string[] {
  const { metric, control, treated, lift, lift_low, lift_high, p_value } = compared
  return [
    variant,
    metric,
    control.toPrecision(4),
    treated.toPrecision(4),
    ...[lift, lift_low, lift_high].map((value) => (value === null ? '–' : signed(value))),
    p_value.toFixed(4),
    says,
  ]
}

function verdictOf({ alpha }: ExperimentDetailBody, { verdict, sample_ratio }: Results): string {
  if (verdict === null) return 'No verdict.'
  const of = verdict.variant === null ? '' : ` (${verdict.variant})`
  const reasons = verdict.reasons.map((reason) => `\n  ${reason}`).join('')
  const ratio =
    sample_ratio === null ? '' : `\nShares of the variants: p = ${sample_ratio.p_value.toFixed(4)}`
  return `Verdict: ${VERDICTS[verdict.kind] ?? verdict.kind}${of}, wrong with probability ${alpha} at most however often it is looked at.${reasons}${ratio}`
}

function shadowsOf({ shadows }: Results): string {
  if (shadows.length === 0) return 'No answer of the shadow is in the lake yet.'
  return shadows
    .map((shadow) => {
      const ms = (value: number | null) => (value === null ? '–' : value.toFixed(2))
      const hits = textTable(
        ['later clicks', 'count', 'shown', 'in the shadow’s'],
        [
          ['all', shadow.clicks, shadow.shown_hits, shadow.shadow_hits],
          [
            'not on recommendations',
            shadow.elsewhere_clicks,
            shadow.elsewhere_shown_hits,
            shadow.elsewhere_shadow_hits,
          ],
        ],
      )
      return `${shadow.variant}: ${shadow.answers} answers compared, ${percent(shadow.overlap)} of the products in common, agreement of ranks ${shadow.rank_agreement.toFixed(2)}
Milliseconds, half and 99 in 100: ${ms(shadow.shadow_ms_p50)} and ${ms(shadow.shadow_ms_p99)}; what was answered: ${ms(shadow.answer_ms_p50)} and ${ms(shadow.answer_ms_p99)}
${hits}`
    })
    .join('\n\n')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share !== 0 && share < 0.1 ? 2 : 1).replace(/\.00?$/, '')} %`
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
