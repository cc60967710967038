import type { Socket } from 'node:net'
import { constants } from 'node:zlib'
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController } from 'fastify'
import { analyticsRoutes } from './analytics/routes.ts'
import type { Api, ApiDeps } from './api-deps.ts'
import { AsciiResponse } from './ascii-response.ts'
import { ga4Routes } from './events/ga4-routes.ts'
import { eventRoutes } from './events/routes.ts'
import { segmentRoutes } from './events/segment-routes.ts'
import { experimentRoutes } from './experiments/routes.ts'
import { guard } from './keys/guard.ts'
import { keyRoutes } from './keys/routes.ts'
import { measure } from './metrics.ts'
import { modelRoutes } from './models/routes.ts'
import { answerUnknownAddresses } from './not-found.ts'
import { describeApi } from './openapi.ts'
import { plainSchema } from './plain-schema.ts'
import { problemOf, requestInvalid, sendProblem } from './problem.ts'
import { productRoutes } from './products/routes.ts'
import { recommendationRoutes } from './recommendations/routes.ts'
import { requestIds } from './request-id.ts'
import { ruleRoutes } from './rules/routes.ts'
import { sdkRoutes } from './sdk/routes.ts'
import { sqlRoutes } from './sql/routes.ts'
import { SQL_HEADERS } from './sql/send-answer.ts'
import { streamRoutes } from './streams/routes.ts'
import { systemRoutes } from './system/routes.ts'
import { tableRoutes } from './tables/routes.ts'
import { userRoutes } from './users/routes.ts'

/** Longest id in a path, in characters. */
const PARAMETER_LENGTH_MAX = 512
/** A request must have arrived whole within this time; slower senders are cut off. */
const REQUEST_TIMEOUT_MS = 120_000
/** Smallest answer worth compressing, bytes. */
const COMPRESS_FROM_BYTES = 2_048
/**
 * How parameters are validated. `strictNumbers` would leave out the bounds of a number that is not finite, so that
 * `limit=Infinity` were within any. What a schema does not know is refused where it says so, not dropped.
 */
const VALIDATION = {
  allErrors: true,
  coerceTypes: 'array',
  strictNumbers: false,
  removeAdditional: false,
} as const
/** Headers of answers that scripts of other origins may read. */
const EXPOSED_HEADERS = [
  'retry-after',
  'x-request-id',
  'www-authenticate',
  'ratelimit',
  'ratelimit-policy',
  'idempotency-replayed',
]

/**
 * The HTTP API over `deps`, ready to `listen` or `inject`. Every failure is a problem document. Closing it ends open
 * streams first; it does not close the parts it was given.
 */
export async function buildApi(deps: ApiDeps): Promise<Api> {
  const app = createServer(deps)
  app.setErrorHandler(sendProblem)
  const metrics = measure(app, deps)
  await protect(app)
  answerUnknownAddresses(app)
  await guard(app, deps)
  await describeApi(app, deps)
  recommendationRoutes(app, deps, metrics)
  productRoutes(app, deps)
  for (const routes of [eventRoutes, segmentRoutes, ga4Routes]) {
    await app.register((scope, _options, done) => {
      routes(scope as Api, deps, metrics)
      done()
    })
  }
  for (const routes of [sqlRoutes, keyRoutes, ruleRoutes, experimentRoutes]) {
    await app.register((scope, _options, done) => {
      routes(scope as Api, deps)
      done()
    })
  }
  analyticsRoutes(app, deps)
  tableRoutes(app, deps)
  streamRoutes(app, deps, metrics)
  modelRoutes(app, deps)
  userRoutes(app, deps)
  systemRoutes(app, deps, metrics)
  sdkRoutes(app)
  await app.ready()
  return app
}

function createServer(deps: ApiDeps): Api {
  const nextId = requestIds(deps.now())
  const app = Fastify({
    ...(deps.logger === undefined ? {} : { loggerInstance: deps.logger }),
    logController: new LogController({ disableRequestLogging: deps.isRequestLogged !== true }),
    bodyLimit: deps.bodyLimitBytes,
    ...(deps.trustedProxies === undefined ? {} : { trustProxy: [...deps.trustedProxies] }),
    genReqId: nextId,
    http: { ServerResponse: AsciiResponse },
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX, ignoreTrailingSlash: true },
    ajv: { customOptions: VALIDATION },
    frameworkErrors: (error, request, reply) => {
      void sendProblem(requestInvalid(`${error.message}.`), request, reply as never)
    },
    clientErrorHandler: (error, socket) => refuseBrokenRequest(error, socket, nextId({ headers: {} })),
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.addHook('onRoute', (route) => {
    if (route.schema !== undefined) route.schema = plainSchema(route.schema) as typeof route.schema
  })
  app.removeAllContentTypeParsers()
  return app
}

/**
 * What OWASP's REST Security Cheat Sheet asks of answers that are data, and no page. Constants: helmet makes them again for each request,
 * which took half as long as the rest of an answer.
 */
const SAFE_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
} as const

/**
 * CORS lets every page ask: a preflight carries no key, and the API knows no cookies. What a page may have is decided
 * by `guard`.
 */
async function protect(app: Api): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SAFE_HEADERS)
    done()
  })
  app.addHook('onRoute', (route) => {
    if (route.method === 'GET' || route.method === 'HEAD') route.decompress = false
  })
  await app.register(cors, {
    origin: '*',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'],
    exposedHeaders: [...EXPOSED_HEADERS, ...SQL_HEADERS],
    strictPreflight: false,
    maxAge: 86_400,
  })
  await app.register(compress, {
    threshold: COMPRESS_FROM_BYTES,
    encodings: ['br', 'gzip'],
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
    requestEncodings: ['gzip', 'deflate', 'br'],
    onInvalidRequestPayload: (encoding) =>
      requestInvalid(`The body is not valid ${encoding}, though "content-encoding" says so.`),
  })
}

/** Statuses of what Node itself refuses, by its codes; anything else is no HTTP at all. */
const REFUSALS: Readonly<Record<string, { readonly status: number; readonly text: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, text: 'Request Header Fields Too Large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, text: 'Request Timeout' },
}
const BROKEN = { status: 400, text: 'Bad Request' }

/** Bytes that are not HTTP get a problem document too, written by hand: no request exists yet. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (!socket.writable || socket.destroyed) return
  const { status, text } = REFUSALS[error.code ?? ''] ?? BROKEN
  const problem = problemOf(requestInvalid(`This is not a valid HTTP request: ${error.message}.`), requestId)
  const body = JSON.stringify({ ...problem, status })
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
