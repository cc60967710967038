import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Api, ApiDeps } from './api-deps.ts'
import { KEY_SCHEME } from './keys/describe-scope.ts'

const TAGS = [
  { name: 'recommendations', description: 'What a shopper may like, and why.' },
  { name: 'products', description: 'The catalogue: look-up, text search, categories.' },
  { name: 'events', description: 'What shoppers do, taken in durably.' },
  { name: 'analytics', description: 'Live figures, and figures over time from the lake.' },
  { name: 'lake', description: 'SQL over the lake, and its tables.' },
  { name: 'streams', description: 'Server-sent events.' },
  { name: 'models', description: 'Trained model versions.' },
  { name: 'experiments', description: 'A/B tests, and models in the shadow.' },
  { name: 'users', description: 'What is stored of a shopper.' },
  { name: 'keys', description: 'Who may use this API, where keys are required.' },
  { name: 'system', description: 'Health and operations.' },
]

const KEY_SECURITY = {
  type: 'http',
  scheme: 'bearer',
  description: 'A key made by `arus keys create`; each operation names the kinds of key that may use it.',
} as const

/** Swagger UI is served from this machine and talks to it only. Its start page needs its own inline style. */
const DOCS_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; frame-ancestors 'self'"

/** Generates OpenAPI 3.1 from the routes added afterwards; serves `/openapi.json` and Swagger UI at `/docs`. */
export async function describeApi(app: Api, { version, keys }: ApiDeps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Arus',
        version,
        description:
          'Product recommendations and live shopper analytics. Errors are problem documents (RFC 9457) with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS,
      ...(keys === undefined ? {} : { components: { securitySchemes: { [KEY_SCHEME]: KEY_SECURITY } } }),
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true, validatorUrl: null },
  })
  let text: string | null = null
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, (_request, reply) => {
    text ??= JSON.stringify(app.swagger())
    return reply.header('content-type', 'application/json; charset=utf-8').send(text)
  })
}
