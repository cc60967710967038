import type { FastifyReply, FastifyRequest } from 'fastify'
import { ArusError } from '../../errors.ts'
import type { ApiKey, ApiKeys } from '../../keys/api-key.ts'
import { isOwnOrigin } from '../../keys/origin.ts'
import { kindsFor, mayUse, type Scope } from '../../keys/scopes.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { describeScope } from './describe-scope.ts'
import { type KeyPlaces, keyInBody, presentedKey } from './presented-key.ts'
import { type Limiter, requestLimiter } from './rate-limit.ts'

/** Routes that plugins add: their own files, and the answer to preflights, which carry no key. */
const OPEN_ROUTE = /^(?:\/docs(?:\/|$)|\*$)/

/**
 * Lets a request through to its route only with a key that may use it, where keys are required; elsewhere keeps pages
 * of other origins away from what only a key could open. Routes added afterwards declare their scope in `config`; one that
 * does not needs an admin key.
 */
export async function guard(app: Api, deps: ApiDeps): Promise<void> {
  const scopes = new Map<string, Scope>()
  app.decorate('routeScopes', scopes)
  app.decorateRequest('apiKey', null)
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope ?? (OPEN_ROUTE.test(route.url) ? 'open' : 'admin')
    route.config = { ...route.config, scope }
    for (const method of [route.method].flat()) scopes.set(`${method} ${route.url}`, scope)
    if (deps.keys !== undefined) describeScope(route, scope)
  })
  const limit = await requestLimiter(app, deps)
  if (deps.keys === undefined) guardFromPages(app, limit)
  else guardWithKeys(app, deps.keys, limit)
}

function guardWithKeys(app: Api, keys: ApiKeys, limit: Limiter): void {
  const admit = (text: string | null, request: FastifyRequest, reply: FastifyReply, done: Done) => {
    try {
      request.apiKey = keyFor(text, keys, request)
    } catch (error) {
      return done(error as Error)
    }
    limit(request, reply, done)
  }
  app.addHook('onRequest', (request, reply, done) => {
    const { scope, ...places } = request.routeOptions.config
    if (scope === 'open') return done()
    const text = presentedKey(request, places)
    if (text === null && places.isKeyInBody) return done()
    admit(text, request, reply, done)
  })
  app.addHook('preValidation', (request, reply, done) => {
    if (!request.routeOptions.config.isKeyInBody || request.apiKey !== null) return done()
    admit(keyInBody(request.body), request, reply, done)
  })
}

/** Throws what keeps the request from its route. */
function keyFor(text: string | null, keys: ApiKeys, request: FastifyRequest): ApiKey {
  const { scope = 'admin' } = request.routeOptions.config
  const kinds = kindsFor(scope).join(' or ')
  if (text === null) {
    throw new ArusError(
      'KEY_REQUIRED',
      `This address needs a ${kinds} key: send it as "authorization: Bearer KEY". "arus keys create" makes one.`,
    )
  }
  const key = keys.find(text)
  if (key === null) {
    throw new ArusError(
      'KEY_INVALID',
      'The key is not known here or was revoked; "arus keys list" shows those in force.',
    )
  }
  if (!mayUse(key.kind, scope)) {
    throw new ArusError(
      'KEY_FORBIDDEN',
      `The key ${key.id} is ${key.kind}; this address needs a ${kinds} key.`,
    )
  }
  const { origin } = request.headers
  if (origin !== undefined && key.origins.length > 0 && !key.origins.includes(origin.toLowerCase())) {
    throw new ArusError(
      'ORIGIN_FORBIDDEN',
      `Pages of ${origin.slice(0, 200)} may not use the key ${key.id}; make one whose origins name it.`,
    )
  }
  return key
}

/**
 * Without keys everyone on this machine may ask anything, and so might any page opened here: pages from elsewhere are
 * held to what a public key could do.
 */
function guardFromPages(app: Api, limit: Limiter): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, host = '' } = request.headers
    const { scope = 'admin' } = request.routeOptions.config
    if (origin === undefined || mayUse('public', scope) || isOwnOrigin(origin, host)) {
      return limit(request, reply, done)
    }
    const detail = `Pages of ${origin.slice(0, 200)} may send events and read what is not a shopper’s; for more, require keys (ARUS_REQUIRE_KEYS=true).`
    done(new ArusError('ORIGIN_FORBIDDEN', detail))
  })
}

type Done = (error?: Error) => void

declare module 'fastify' {
  interface FastifyContextConfig extends KeyPlaces {
    /** What the route needs; `admin` when nothing is said. */
    readonly scope?: Scope
  }
  interface FastifyInstance {
    /** What every route needs, by method and address. */
    readonly routeScopes: ReadonlyMap<string, Scope>
  }
  interface FastifyRequest {
    /** The key that let the request in; null where none is needed. */
    apiKey: ApiKey | null
  }
}
