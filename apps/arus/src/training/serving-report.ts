import type { Choice, ModelChoice, Tuned } from '@arus/recommenders'

/** A form in which what ranked best could be served, as it is reported. */
export interface ServingForm {
  /** Its parts with their weights: `low-pass in rows of 100 + 0.2 ease, recency 1`. */
  readonly form: string
  /** Mean of nDCG and recall over validation shoppers. */
  readonly score: number
  /** CPU µs of an answer with its reasons, measured in this run. */
  readonly answer_cpu_us: number
  readonly is_chosen: boolean
}

/** The cheapest first, what ranked best last; empty where nothing was weighed. */
export function servingFormsOf({ serving, choice }: Pick<Tuned, 'serving' | 'choice'>): ServingForm[] {
  return serving.map((trial) => ({
    form: choiceText(trial.choice),
    score: trial.score,
    answer_cpu_us: Math.round(trial.answerCpuMicros),
    is_chosen: trial.choice === choice,
  }))
}

/** Why the form was taken, for a person; null where nothing was weighed. */
export function servingReason(forms: readonly ServingForm[], tolerance: number): string | null {
  const [chosen, best] = [forms.find((one) => one.is_chosen), forms.at(-1)]
  if (chosen === undefined || best === undefined) return null
  const within = `within ${+(100 * tolerance).toFixed(2)} % of the best on validation data`
  const own = `${scoreText(chosen)} at ${chosen.answer_cpu_us} µs of CPU an answer`
  if (chosen === best) return `served whole, since no cheaper form is ${within} (${own})`
  return `served as ${chosen.form}, the cheapest form ${within} (${own}; whole ${scoreText(best)} at ${best.answer_cpu_us} µs)`
}

/** A choice in words. */
export function choiceText(choice: Choice): string {
  if (choice.kind !== 'blend') return partText(choice)
  const parts = choice.parts
    .map((part) => (part.weight === 1 ? '' : `${part.weight} `) + partText(part.choice))
    .join(' + ')
  return choice.recencyExponent === 0 ? parts : `${parts}, recency ${choice.recencyExponent}`
}

function partText(choice: ModelChoice): string {
  return choice.kind === 'short-low-pass' ? `low-pass in rows of ${choice.options.rowLength}` : choice.kind
}

function scoreText({ score }: ServingForm): string {
  return score.toFixed(4)
}
