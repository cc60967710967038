import type { FastifyReply, FastifyRequest } from 'fastify'
import { claimOf, withClaimedIds } from './idempotency-key.ts'
import type { IdempotentAnswers } from './idempotent-answers.ts'

export interface OnceOptions<T> {
  readonly answers: IdempotentAnswers
  /** What was sent, as it is the same in every repeat. */
  readonly content: unknown
  readonly events: readonly unknown[]
  readonly work: (events: readonly unknown[]) => Promise<T>
}

/** Does the work of a request once under its `Idempotency-Key`, and says so when an answer is repeated. */
export async function answerOnce<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  { answers, content, events, work }: OnceOptions<T>,
): Promise<T> {
  const claim = claimOf(request, content)
  if (claim === null) return work(events)
  const { answer, isReplayed } = await answers.once(claim, () => work(withClaimedIds(events, claim)))
  if (isReplayed) reply.header('idempotency-replayed', 'true')
  return answer
}
