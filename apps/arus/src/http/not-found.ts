import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import type { Api } from './api-deps.ts'
import { problemOf, sendDocument, sendProblem } from './problem.ts'
import { PROBLEM_TITLES } from './problem-codes.ts'

interface KnownRoute {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

/**
 * Answers addresses that no route has: 405 with `Allow` where another method would do, else 404. At once: their bodies
 * are not read, nor looked at for what only routes ask.
 */
export function answerUnknownAddresses(app: Api): void {
  const routes = new Map<string, KnownRoute>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return
    const known = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const name of [method].flat()) known.methods.add(name)
    routes.set(url, known)
  })
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const methods = new Set<string>()
    for (const route of routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method)
    }
    if (methods.size === 0) return sendUnknown(path, request, reply)
    return sendNotAllowed([...methods].sort(), request, reply)
  }
  app.setNotFoundHandler(answer)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answer(request, reply)
    else done()
  })
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}/?$`)
}

function sendUnknown(path: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const detail = `There is nothing at ${path.slice(0, 200)}; /docs lists every address of this API.`
  return sendProblem(new ArusError('NOT_FOUND', detail), request, reply)
}

function sendNotAllowed(
  methods: readonly string[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const allow = methods.join(', ')
  const problem: Problem = {
    ...problemOf(new ArusError('NOT_FOUND', ''), request.id),
    type: 'urn:arus:problem:method-not-allowed',
    title: PROBLEM_TITLES.METHOD_NOT_ALLOWED,
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    detail: `This address takes ${allow}, not ${request.method}.`,
  }
  return sendDocument(problem, reply.header('allow', allow))
}
