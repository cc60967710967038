import { isSurelyBetter, sessionDifference } from '@arus/recommenders'
import type { HelperReport } from '../registry/registry.ts'
import { K } from './ndcg.ts'
import type { TrialAnswers } from './trial-answers.ts'

/** What was chosen, and why. */
export interface Chosen<U> extends Pick<HelperReport, 'metrics' | 'reason'> {
  readonly use: U
  readonly answers: TrialAnswers
}

/** Of the ways to use a helping model, the first of which is not to use it, the last that is surely better than the one chosen before it. */
export function choose<U extends number | 'alone'>(
  asker: string,
  kind: string,
  uses: readonly U[],
  answers: readonly TrialAnswers[],
): Chosen<U> {
  let at = 0
  for (let n = 1; n < uses.length; n++) if (isSurelyBetter(answers[n]!, answers[at]!)) at = n
  const shown = at === 0 ? 1 : at
  const names = uses.map((use) =>
    use === 0 ? 'without' : use === 'alone' ? `${kind} alone` : `${kind} × ${use}`,
  )
  const verdict =
    at === 0 ? `${names[shown]} is not surely better for ${asker}` : `${asker} is answered by ${names[at]}`
  return {
    use: uses[at]!,
    answers: answers[at]!,
    metrics: Object.fromEntries(names.map((name, n) => [`${asker}: ${name}`, answers[n]!.metrics])),
    reason: `${verdict}: ${differenceInWords(answers[shown]!, answers[0]!)}`,
  }
}

function differenceInWords(mine: TrialAnswers, without: TrialAnswers): string {
  const { hitRate, mrr } = sessionDifference(mine, without)
  const signed = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`
  return Object.entries({ hit_rate: hitRate, mrr })
    .map(
      ([name, { mean, low, high }]) =>
        `${name}@${K} ${signed(mean)} (95 % ${signed(low)} to ${signed(high)})`,
    )
    .join(', ')
}
