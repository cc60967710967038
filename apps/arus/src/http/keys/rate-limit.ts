import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ArusError } from '../../errors.ts'
import type { Api, ApiDeps } from '../api-deps.ts'

/** Calls `done` once the request is counted, with `RATE_LIMITED` when it is one too many. */
export type Limiter = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

const WINDOW_MS = 60_000
/** Callers counted at once; the one not seen longest is forgotten first. */
const CALLERS_MAX = 20_000

/**
 * Counts requests by key, those of a public key by address too: all shoppers use the same one, and one of them must not
 * use it up for the others. Without keys requests are counted by address. Answers say what is left (RateLimit header
 * fields for HTTP, IETF draft 10).
 */
export async function requestLimiter(app: Api, { rateLimitPerMinute }: ApiDeps): Promise<Limiter> {
  await app.register(rateLimit, { global: false, cache: CALLERS_MAX })
  const maxOf = ({ apiKey }: FastifyRequest) =>
    apiKey === null ? rateLimitPerMinute : (apiKey.rate_limit_per_minute ?? undefined)
  const count = app.createRateLimit({
    timeWindow: WINDOW_MS,
    max: (request) => maxOf(request) ?? 0,
    keyGenerator: callerOf,
  })
  return (request, reply, done) => {
    if (maxOf(request) === undefined) return done()
    count(request).then((counted) => {
      if (counted.isAllowed) return done()
      const { max, remaining, ttlInSeconds, isExceeded } = counted
      reply.header('ratelimit-policy', `"requests";q=${max};w=${WINDOW_MS / 1000}`)
      reply.header('ratelimit', `"requests";r=${remaining};t=${ttlInSeconds}`)
      if (!isExceeded) return done()
      reply.header('retry-after', ttlInSeconds)
      done(tooMany(max, ttlInSeconds))
    }, done)
  }
}

function callerOf({ apiKey, ip }: FastifyRequest): string {
  if (apiKey === null) return normalizeIP(ip)
  return apiKey.kind === 'public' ? `${apiKey.id} ${normalizeIP(ip)}` : apiKey.id
}

function tooMany(max: number, waitSeconds: number): ArusError {
  return new ArusError(
    'RATE_LIMITED',
    `More than ${max} requests came within a minute; go on in ${waitSeconds} s, or send more events in each request.`,
  )
}
