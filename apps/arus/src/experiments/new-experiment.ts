import { ArusError } from '../errors.ts'
import type {
  ExperimentPlan,
  Exposure,
  Guardrail,
  Metric,
  Mode,
  PrimaryMetric,
  Variant,
} from './experiment.ts'

/** An experiment as it is asked for; what is not said is filled in. */
export interface NewExperiment {
  readonly name: string
  readonly mode?: Mode
  readonly scenarios?: readonly string[]
  readonly traffic?: number
  readonly variants: readonly (Pick<Variant, 'name'> & Partial<Variant>)[]
  readonly primary_metric?: PrimaryMetric
  readonly guardrails?: readonly Guardrail[]
  readonly alpha?: number
  readonly minimum_effect?: number
  readonly exposure?: Exposure
  readonly window_minutes?: number
  readonly planned_units?: number
  readonly auto_stop?: boolean
}

/** The plan of a new experiment. Throws `REQUEST_INVALID`, with every place that is wrong, when it makes no sense as a whole. */
export function newExperiment(asked: NewExperiment): ExperimentPlan {
  const plan: ExperimentPlan = {
    name: asked.name.trim(),
    mode: asked.mode ?? 'ab',
    scenarios: [...new Set(asked.scenarios ?? [])],
    traffic: asked.traffic ?? 1,
    variants: asked.variants.map(({ name, share = 1, model_version = null }) => ({
      name,
      share,
      model_version,
    })),
    primary_metric: asked.primary_metric ?? 'click_through',
    guardrails: asked.guardrails ?? [],
    alpha: asked.alpha ?? 0.05,
    minimum_effect: asked.minimum_effect ?? 0.05,
    exposure: asked.exposure ?? 'answered',
    window_minutes: asked.window_minutes ?? 24 * 60,
    planned_units: asked.planned_units ?? 10_000,
    auto_stop: asked.auto_stop ?? false,
  }
  const errors = faultsOf(plan)
  if (errors.length === 0) return plan
  const list = errors.map(({ pointer, reason }) => `${pointer} ${reason}`).join('; ')
  throw new ArusError('REQUEST_INVALID', `The experiment makes no sense: ${list}.`, { details: { errors } })
}

interface Fault {
  readonly pointer: string
  readonly reason: string
}

function faultsOf({ mode, variants, primary_metric, guardrails }: ExperimentPlan): Fault[] {
  const faults: Fault[] = []
  const twice = (values: readonly string[]) => values.findIndex((value, i) => values.indexOf(value) < i)
  const variantTwice = twice(variants.map(({ name }) => name))
  if (variantTwice >= 0)
    faults.push({ pointer: `/variants/${variantTwice}/name`, reason: 'must differ from the other names' })
  if (mode === 'ab' && variants.length < 2)
    faults.push({
      pointer: '/variants',
      reason: 'must be two or more: the control, and what is compared with it',
    })
  else if (
    mode === 'ab' &&
    variants.every(({ model_version }) => model_version === variants[0]?.model_version)
  )
    faults.push({ pointer: '/variants', reason: 'must not all answer by the same model' })
  if (mode === 'shadow' && (variants.length !== 1 || variants[0]?.model_version === null))
    faults.push({
      pointer: '/variants',
      reason: 'must be one with a model_version, where the mode is shadow',
    })
  const metrics: readonly Metric[] = [primary_metric, ...guardrails.map(({ metric }) => metric)]
  const metricTwice = twice(metrics)
  if (metricTwice > 0)
    faults.push({
      pointer: `/guardrails/${metricTwice - 1}/metric`,
      reason: 'must be neither the primary metric nor named twice',
    })
  return faults
}
