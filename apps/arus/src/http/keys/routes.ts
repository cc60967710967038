import Type from 'typebox'
import {
  type ApiKeyBody,
  ApiKeySchema,
  ApiKeysSchema,
  CreatedKeySchema,
  NewApiKeySchema,
} from '../../api-schema/keys.ts'
import { ArusError } from '../../errors.ts'
import type { ApiKey, ApiKeys } from '../../keys/api-key.ts'
import { newApiKey } from '../../keys/new-key.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { jsonText } from '../events/json-text.ts'
import { exactBody } from '../exact-body.ts'
import { problemResponses, responses } from '../responses.ts'

const TAGS = ['keys']
const BODY_LIMIT_BYTES = 64 * 1024

/**
 * `/keys`, for admin keys. Where keys are not required nobody could be told apart, so nothing is given or made. Registers
 * its own body parser, so `scope` must be encapsulated.
 */
export function keyRoutes(scope: Api, { keys }: Pick<ApiDeps, 'keys'>): void {
  jsonText(scope)
  scope.get(
    '/keys',
    {
      config: { scope: 'admin' },
      schema: { tags: TAGS, summary: 'All keys, newest first', response: responses(ApiKeysSchema, [403]) },
    },
    async () => ({ keys: (await required(keys).list()).map(bodyOf) }),
  )
  scope.post(
    '/keys',
    {
      config: { scope: 'admin' },
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: exactBody,
      schema: {
        tags: TAGS,
        summary: 'Make a key',
        description: 'The text of the key is in this answer and never again: only its hash is kept.',
        body: NewApiKeySchema,
        response: {
          201: { ...CreatedKeySchema, description: 'Made.' },
          ...problemResponses([400, 403, 413, 415]),
        },
      },
    },
    async (request, reply) => {
      const { key, text } = await required(keys).create(newApiKey(request.body))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...bodyOf(key), key: text })
    },
  )
  scope.delete(
    '/keys/:key_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Revoke a key',
        description: 'It is refused at once, and its open streams end. Again is no error.',
        params: Type.Object({ key_id: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: responses(ApiKeySchema, [400, 403, 404]),
      },
    },
    async (request) => bodyOf(await required(keys).revoke(request.params.key_id)),
  )
}

function required(keys: ApiKeys | undefined): ApiKeys {
  if (keys !== undefined) return keys
  throw new ArusError(
    'KEYS_OFF',
    'This Arus asks for no keys, so it gives none to strangers: set ARUS_REQUIRE_KEYS=true, or use "arus keys".',
  )
}

function bodyOf(key: ApiKey): ApiKeyBody {
  return { ...key, origins: [...key.origins] }
}
