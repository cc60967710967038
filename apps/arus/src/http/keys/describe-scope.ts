import type { RouteOptions } from 'fastify'
import { kindsFor, type Scope } from '../../keys/scopes.ts'
import { problemResponses } from '../responses.ts'

/** The name of the security scheme in OpenAPI. */
export const KEY_SCHEME = 'key'

/** Tells OpenAPI which keys a route takes, and that it may refuse one. */
export function describeScope(route: RouteOptions, scope: Scope): void {
  if (scope === 'open' || route.schema === undefined) return
  const { response } = route.schema as { readonly response?: object }
  route.schema = {
    ...route.schema,
    security: [{ [KEY_SCHEME]: [...kindsFor(scope)] }],
    response: { ...problemResponses([401, 403, 429]), ...response },
  }
}
