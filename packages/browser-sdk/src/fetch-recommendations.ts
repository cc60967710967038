import type { ArusOptions, RecommendationQuery, Recommendations } from './api.ts'
import { warn } from './warn.ts'

const ANSWER_WAIT_MS = 10_000

/** Asks the API; an empty list where it has no answer. `session` is the one under way. */
export async function fetchRecommendations(
  { endpoint, writeKey }: ArusOptions,
  session: string,
  { user, product, ...query }: RecommendationQuery,
): Promise<Recommendations> {
  try {
    const path = product ? ['similar', product] : user ? ['user', user] : ['session', session]
    const asked = { ...query, session_id: user && session }
    // By way of JSON, which leaves out what is undefined.
    const parameters = new URLSearchParams(JSON.parse(JSON.stringify(asked)))
    const response = await fetch(
      `${endpoint}/recommendations/${path.map(encodeURIComponent).join('/')}?${parameters}`,
      {
        credentials: 'omit',
        signal: AbortSignal.timeout(ANSWER_WAIT_MS),
        headers: writeKey ? { authorization: `Bearer ${writeKey}` } : {},
      },
    )
    const answer = await response.json()
    if (response.ok) return answer
    warn(answer.detail)
  } catch (error) {
    warn(error)
  }
  return { recommendation_id: null, recommendations: [] }
}
