import {
  type ExperimentPlan,
  type Guardrail,
  LESS_IS_BETTER,
  type Metric,
  type Verdict,
  type VerdictKind,
} from './experiment.ts'
import { type SampleRatio, sampleRatio } from './sample-ratio.ts'
import { alwaysValidP, confidenceSequence, contrast, type Interval, type Moments } from './sequential-test.ts'

/** Shoppers that each of two variants must have before they are compared: the test rests on means being nearly normal. */
export const UNITS_MIN = 100

/** What was counted of a variant. */
export interface VariantCounts {
  readonly name: string
  /** Shoppers exposed to it. */
  readonly units: number
  /** Of those whose window is over: what each of them did, one value per shopper. */
  readonly metrics: Readonly<Record<Metric, Moments>>
}

export type GuardrailState = 'held' | 'breached' | 'undecided'

/** A metric of a variant beside the control's. `lift` and its bounds are relative to the control; null where that is 0. */
export interface MetricComparison {
  readonly metric: Metric
  readonly control: number
  readonly treated: number
  readonly lift: number | null
  readonly lift_low: number | null
  readonly lift_high: number | null
  readonly p_value: number
}

export interface GuardrailComparison extends MetricComparison {
  readonly max_loss: number
  readonly state: GuardrailState
}

/** A variant beside the control. */
export interface Comparison {
  readonly variant: string
  readonly verdict: Exclude<VerdictKind, 'invalid'>
  readonly reasons: readonly string[]
  readonly primary: MetricComparison
  readonly guardrails: readonly GuardrailComparison[]
}

export interface Judgement {
  readonly sample_ratio: SampleRatio
  readonly comparisons: readonly Comparison[]
  readonly verdict: Verdict
}

type Plan = Pick<
  ExperimentPlan,
  'variants' | 'primary_metric' | 'guardrails' | 'alpha' | 'minimum_effect' | 'planned_units'
>

/**
 * The verdict on what was counted. May be asked as often as one likes: every test in it is valid under continuous watching.
 * `counts` are in the order of the plan's variants, the control first; where there are several others, each is tested at
 * `alpha` over their number (Bonferroni), so that the chance of any false difference stays below `alpha`.
 */
export function judge(plan: Plan, counts: readonly VariantCounts[]): Judgement {
  const ratio = sampleRatio(
    counts.map(({ units }) => units),
    plan.variants.map(({ share }) => share),
  )
  const [control, ...others] = counts
  const options = { alpha: plan.alpha / Math.max(1, others.length), plannedCount: plan.planned_units }
  const comparisons =
    control === undefined ? [] : others.map((treated) => compare(plan, { control, treated }, options))
  return { sample_ratio: ratio, comparisons, verdict: verdictOf(ratio, comparisons) }
}

interface Pair {
  readonly control: VariantCounts
  readonly treated: VariantCounts
}

interface Options {
  readonly alpha: number
  readonly plannedCount: number
}

function compare(plan: Plan, pair: Pair, options: Options): Comparison {
  const primary = metricOf(plan.primary_metric, pair, options)
  const guardrails = plan.guardrails.map((guardrail) => guardrailOf(guardrail, pair, options))
  const comparison = { variant: pair.treated.name, primary, guardrails }
  const fewest = Math.min(unitsOf(pair.control, plan), unitsOf(pair.treated, plan))
  if (fewest < UNITS_MIN) {
    const reason = `${pair.treated.name} and the control need ${UNITS_MIN} shoppers each whose window is over; the smaller has ${fewest}.`
    return { ...comparison, verdict: 'undecided', reasons: [reason] }
  }
  return { ...comparison, ...conclusion(plan, pair, { primary, guardrails, options }) }
}

function unitsOf({ metrics }: VariantCounts, { primary_metric }: Plan): number {
  return metrics[primary_metric].count
}

function conclusion(
  { primary_metric: metric, minimum_effect }: Plan,
  pair: Pair,
  found: Pick<Comparison, 'primary' | 'guardrails'> & { readonly options: Options },
): Pick<Comparison, 'verdict' | 'reasons'> {
  const { treated } = pair
  const inState = (state: GuardrailState) =>
    found.guardrails.filter((guardrail) => guardrail.state === state).map((guardrail) => guardrail.metric)
  const breached = inState('breached')
  if (breached.length > 0)
    return { verdict: 'worse', reasons: [`${treated.name} breaks the guardrail ${breached.join(', ')}.`] }
  const difference = gain(metric, pair, SAME, found.options)
  if (difference.high < 0)
    return { verdict: 'worse', reasons: [`${treated.name} lowers ${metric} beyond chance.`] }
  const undecided = inState('undecided')
  if (difference.low > 0 && undecided.length === 0)
    return { verdict: 'better', reasons: [`${treated.name} raises ${metric} beyond chance.`] }
  if (difference.low > 0)
    return {
      verdict: 'undecided',
      reasons: [
        `${treated.name} raises ${metric}, but the guardrail ${undecided.join(', ')} is not sure yet.`,
      ],
    }
  const isWithin =
    gain(metric, pair, { factor: 1 - minimum_effect, offset: 0 }, found.options).low > 0 &&
    gain(metric, pair, { factor: 1 + minimum_effect, offset: 0 }, found.options).high < 0
  if (isWithin)
    return {
      verdict: 'no_difference',
      reasons: [`${treated.name} changes ${metric} by less than the smallest difference worth having.`],
    }
  return {
    verdict: 'undecided',
    reasons: [`The range of ${metric} still holds no difference and some worth having.`],
  }
}

/** `factor` times the control's mean and `offset` more. */
interface Reference {
  readonly factor: number
  readonly offset: number
}

const SAME: Reference = { factor: 1, offset: 0 }

/** What the treated gain over the reference, in the direction that is better. */
function gain(
  metric: Metric,
  { control, treated }: Pair,
  { factor, offset }: Reference,
  options: Options,
): Interval {
  const found = contrast(treated.metrics[metric], control.metrics[metric], factor)
  // Where every shopper did the same, nothing is known of how much they differ.
  if (found.standardError === 0) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const { low, high } = confidenceSequence({ ...found, estimate: found.estimate - offset }, options)
  return LESS_IS_BETTER.has(metric) ? { low: -high, high: -low } : { low, high }
}

function metricOf(metric: Metric, { control, treated }: Pair, options: Options): MetricComparison {
  const [before, after] = [control.metrics[metric], treated.metrics[metric]]
  const difference = contrast(after, before)
  const { low, high } = confidenceSequence(difference, options)
  const relative = (value: number) =>
    before.mean === 0 || difference.standardError === 0 ? null : value / before.mean
  return {
    metric,
    control: before.mean,
    treated: after.mean,
    lift: before.mean === 0 ? null : difference.estimate / before.mean,
    lift_low: relative(low),
    lift_high: relative(high),
    p_value: alwaysValidP(difference, options),
  }
}

function guardrailOf({ metric, max_loss }: Guardrail, pair: Pair, options: Options): GuardrailComparison {
  const comparison = metricOf(metric, pair, options)
  const { low, high } = gain(metric, pair, worstTolerated(metric, max_loss), options)
  const [before, after] = [pair.control.metrics[metric], pair.treated.metrics[metric]]
  const isSame = contrast(after, before).standardError === 0 && before.mean === after.mean
  const isKnown = Math.min(before.count, after.count) >= UNITS_MIN
  const state = high < 0 ? 'breached' : low > 0 || isSame ? 'held' : 'undecided'
  return { ...comparison, max_loss, state: isKnown ? state : 'undecided' }
}

/** A rate that is near 0 where all is well has no share to lose of: its loss is counted as it is. */
function worstTolerated(metric: Metric, maxLoss: number): Reference {
  if (metric === 'fallback_rate') return { factor: 1, offset: maxLoss }
  return { factor: LESS_IS_BETTER.has(metric) ? 1 + maxLoss : 1 - maxLoss, offset: 0 }
}

function verdictOf(ratio: SampleRatio, comparisons: readonly Comparison[]): Verdict {
  const reasons = comparisons.flatMap((comparison) => comparison.reasons)
  if (ratio.is_mismatch) {
    const reason =
      'The shares of the variants are not those that were planned (sample ratio mismatch): something lets answers of one go missing, so nothing can be concluded.'
    return { kind: 'invalid', variant: null, reasons: [reason] }
  }
  const better = comparisons
    .filter(({ verdict }) => verdict === 'better')
    .sort((a, b) => b.primary.treated - a.primary.treated)[0]
  if (better !== undefined) return { kind: 'better', variant: better.variant, reasons }
  const has = (kind: VerdictKind) => comparisons.some(({ verdict }) => verdict === kind)
  if (comparisons.length === 0 || has('undecided')) return { kind: 'undecided', variant: null, reasons }
  return { kind: has('no_difference') ? 'no_difference' : 'worse', variant: null, reasons }
}
