import type { LoggedList } from '@arus/recommenders'
import type { Recomputed } from '../../recommend/passport/recompute.ts'
import type { LoggedAnswer } from './logged-answers.ts'

/** What a product may bring. */
export const REWARDS = ['click', 'purchase', 'revenue'] as const
export type Reward = (typeof REWARDS)[number]

export interface ListsOptions {
  readonly reward: Reward
  /** The answer that the version to be judged would have given. */
  readonly answerAgain: (passport: LoggedAnswer['passport']) => Promise<Recomputed>
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void
  readonly signal: AbortSignal
}

export interface AnsweredAgain {
  readonly lists: readonly LoggedList<string>[]
  /** Answers that cannot be given again: reason → how many. */
  readonly leftOut: ReadonlyMap<string, number>
}

/** For each answer what was shown, what came of it, and what another version would have shown to the same question. */
export async function loggedListsOf(
  answers: readonly LoggedAnswer[],
  { reward, answerAgain, onProgress, signal }: ListsOptions,
): Promise<AnsweredAgain> {
  const lists: LoggedList<string>[] = []
  const leftOut = new Map<string, number>()
  for (const [n, { passport, outcomes }] of answers.entries()) {
    signal.throwIfAborted()
    onProgress(n / answers.length)
    const again = await answerAgain(passport)
    if (again.kind === 'impossible') {
      for (const reason of new Set(again.reasons.map(withoutNumbers)))
        leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1)
      continue
    }
    const came = new Map(outcomes.map((outcome) => [outcome.product_id, outcome]))
    lists.push({
      items: passport.result.map(({ product_id }) => product_id),
      propensities: passport.result.map(({ propensity }) => propensity ?? Number.NaN),
      rewards: passport.result.map(({ product_id }) => rewardOf(came.get(product_id), reward)),
      target: again.result.map(({ product_id }) => product_id),
      unit: passport.user_id ?? passport.session_id ?? passport.recommendation_id,
    })
  }
  onProgress(1)
  return { lists, leftOut }
}

function rewardOf(outcome: LoggedAnswer['outcomes'][number] | undefined, reward: Reward): number {
  if (outcome === undefined) return 0
  if (reward === 'revenue') return outcome.revenue
  return (reward === 'click' ? outcome.clicked : outcome.purchases > 0) ? 1 : 0
}

/** Reasons that differ in counts only are one. */
function withoutNumbers(reason: string): string {
  return reason.replaceAll(/\b\d+\b/g, 'some')
}
