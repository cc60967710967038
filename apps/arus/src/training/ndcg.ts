import type { Evaluation } from '@arus/recommenders'

/** Length of the lists that models are judged by. */
export const K = 20

/** The metric that models are chosen by. */
export function ndcgOf({ metrics }: Pick<Evaluation, 'metrics'>): number {
  return metrics[`ndcg@${K}`] ?? 0
}
