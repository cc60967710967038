import Type from 'typebox'
import { ArusError } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'
import { LimitSchema } from '../recommendations/routes.ts'
import { AnalyticsFeed } from './analytics-feed.ts'
import { Coalesced } from './coalesced.ts'
import { OpenStreams } from './open-streams.ts'
import { Paced } from './paced.ts'
import type { SseConnection } from './sse-connection.ts'

const HEARTBEAT_MS = 15_000
const STALL_TIMEOUT_MS = 30_000
/** Shortest time between two answers on one stream: a burst of clicks is one change. */
const ANSWER_INTERVAL_MS = 50

const STREAM_RESPONSE = {
  200: { description: 'Server-sent events.', content: { 'text/event-stream': { schema: Type.String() } } },
} as const

/**
 * `/stream/recommendations/{user_id}` and `/stream/analytics`. Each message is a whole state, so a client that
 * comes back needs only the newest one: missed messages are not replayed.
 */
export function streamRoutes(app: Api, deps: ApiDeps, metrics: ApiMetrics): void {
  const streams = new OpenStreams(metrics, {
    heartbeatMs: deps.heartbeatMs ?? HEARTBEAT_MS,
    stallTimeoutMs: deps.stallTimeoutMs ?? STALL_TIMEOUT_MS,
  })
  const paced = new Paced()
  const feed = new AnalyticsFeed(deps.live)
  app.addHook('preClose', async () => streams.endAll())

  app.get(
    '/stream/recommendations/:user_id',
    {
      config: { scope: 'shoppers', isStream: true },
      exposeHeadRoute: false,
      schema: {
        tags: ['streams'],
        summary: 'Recommendations as the shopper acts',
        description:
          'Event `recommendations` with an answer as data, at once and after each change; the id is its recommendation_id. On return with Last-Event-ID a new answer is sent at once.',
        params: Type.Object({ user_id: Type.String({ minLength: 1, maxLength: 512 }) }),
        querystring: Type.Object({ limit: LimitSchema }),
        response: STREAM_RESPONSE,
      },
    },
    async (request, reply) => {
      const { user_id } = request.params
      const { limit } = request.query
      const connection = streams.open(reply, 'recommendations')
      endWhenRevoked(connection, request.apiKey, deps)
      followShopper(connection, deps, { userId: user_id, limit, onAnswer: metrics.countRecommendation })
      return reply
    },
  )

  app.get(
    '/stream/analytics',
    {
      config: { scope: 'analytics', isStream: true },
      exposeHeadRoute: false,
      schema: {
        tags: ['streams'],
        summary: 'Live figures as they change',
        description:
          'Event `analytics` with the body of /analytics as data, at most every 250 ms; the id is generated_at. On return with Last-Event-ID the newest figures are sent at once unless they are those already seen.',
        response: STREAM_RESPONSE,
      },
    },
    async (request, reply) => {
      if (feed.current() === null) {
        throw new ArusError('NOT_READY', 'Live state is not there now; try again in a second.')
      }
      const connection = streams.open(reply, 'analytics')
      endWhenRevoked(connection, request.apiKey, deps)
      const seenId = String(request.headers['last-event-id'] ?? '')
      followAnalytics(connection, { feed, paced, seenId })
      return reply
    },
  )
}

/** A stream may stay open for days: it ends with the key that opened it. */
function endWhenRevoked(connection: SseConnection, key: ApiKey | null, { keys }: ApiDeps): void {
  if (key === null || keys === undefined) return
  void connection.closed.then(keys.onRevoked(key.id, () => connection.end()))
}

interface ShopperStream {
  readonly userId: string
  readonly limit: number
  readonly onAnswer: (fallback: string | null) => void
}

/** Without live state nothing would ever change: one answer, then the client is asked to come back. */
function followShopper(
  connection: SseConnection,
  { recommender, live }: ApiDeps,
  stream: ShopperStream,
): void {
  const { userId, limit, onAnswer } = stream
  const state = live()
  let isMissed = false
  const answers = new Coalesced(async () => {
    isMissed = connection.isBehind
    if (isMissed) return
    const answer = await recommender.forUser(userId, { limit }).catch(() => null)
    if (answer === null) return connection.end()
    onAnswer(answer.fallback)
    connection.send({ id: answer.recommendation_id, event: 'recommendations', data: JSON.stringify(answer) })
    if (state === null) connection.end()
  }, ANSWER_INTERVAL_MS)
  const stopListening = state?.onShopperChange(userId, () => answers.trigger())
  connection.onReady(() => {
    if (isMissed) answers.trigger()
  })
  void connection.closed.then(() => {
    stopListening?.()
    answers.stop()
  })
  answers.trigger()
}

interface AnalyticsStream {
  readonly feed: AnalyticsFeed
  readonly paced: Paced
  /** The message the client has seen before; empty for none. */
  readonly seenId: string
}

function followAnalytics(connection: SseConnection, { feed, paced, seenId }: AnalyticsStream): void {
  let sentId = seenId
  const push = () => {
    if (connection.isBehind) return
    const message = feed.newest
    if (message === null || message.id === sentId) return
    sentId = message.id
    connection.send(message)
  }
  connection.onReady(push)
  const stopListening = feed.listen(() => paced.add(push))
  void connection.closed.then(() => {
    stopListening()
    paced.remove(push)
  })
  push()
}
