import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Fields, fieldsOf } from '../../events/dialects/canonical-fields.ts'
import { eventsOfGa4 } from '../../events/dialects/ga4.ts'
import { mapMessages } from '../../events/dialects/map-messages.ts'
import { parseEvent } from '../../events/event-schema.ts'
import type { Refusal } from '../../events/refusal.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'
import { requestInvalid } from '../problem.ts'
import { problemResponses, responses } from '../responses.ts'
import { acceptEvents } from './accept-events.ts'
import { answerOnce } from './answer-once.ts'
import { IdempotencyHeader } from './idempotency-key.ts'
import { IdempotentAnswers, idempotencyOf } from './idempotent-answers.ts'
import { jsonText } from './json-text.ts'

/** Messages in an answer of the debug address at most. */
const MESSAGES_MAX = 100

const BodySchema = Type.Object(
  {
    client_id: Type.Optional(Type.String({ description: 'Becomes anonymous_id.' })),
    user_id: Type.Optional(Type.String()),
    timestamp_micros: Type.Optional(
      Type.Integer({ description: 'When it happened; without it a repeat cannot be told.' }),
    ),
    events: Type.Array(
      Type.Object({ name: Type.String(), params: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
    ),
  },
  { additionalProperties: true },
)
const ValidationSchema = Type.Object({
  validationMessages: Type.Array(
    Type.Object({ fieldPath: Type.String(), description: Type.String(), validationCode: Type.String() }),
  ),
})

/**
 * GA4's Measurement Protocol: `/mp/collect` takes events in, `/debug/mp/collect` says what is wrong with them and takes
 * none. Registers its own body parsers, so `scope` must be encapsulated. `api_secret` is a key
 * of Arus where keys are required; ids of streams are not looked at.
 */
export function ga4Routes(scope: Api, deps: ApiDeps, metrics: ApiMetrics): void {
  jsonText(scope)
  const answers = new IdempotentAnswers(idempotencyOf(deps))
  const schema = {
    tags: ['events'],
    querystring: Type.Object(
      { measurement_id: Type.Optional(Type.String()), api_secret: Type.Optional(Type.String()) },
      { description: 'As the protocol has them. The secret is a key of Arus, where keys are required.' },
    ),
    consumes: ['application/json', 'text/plain'],
    body: {
      content: { 'application/json': { schema: BodySchema }, 'text/plain': { schema: Type.String() } },
    },
  }
  scope.post(
    '/mp/collect',
    {
      ...UNCHECKED,
      schema: {
        ...schema,
        headers: IdempotencyHeader,
        summary: 'GA4: collect',
        description:
          'Events of the Measurement Protocol; each item of a known one is an event. Answers 204 when they are durable; bad ones are kept for replay.',
        response: {
          204: Type.Null({ description: 'Taken.' }),
          ...problemResponses([400, 409, 413, 415, 422, 503]),
        },
      },
    },
    async (request, reply) => {
      const work = (events: readonly unknown[]) => acceptEvents(events, deps, metrics)
      const events = eventsOf(request)
      await answerOnce(request, reply, { answers, content: events, events, work })
      return reply.code(204).send(null)
    },
  )
  scope.post(
    '/debug/mp/collect',
    {
      ...UNCHECKED,
      schema: {
        ...schema,
        summary: 'GA4: what is wrong with events',
        description: 'Checks events as `/mp/collect` would and takes none of them in.',
        response: responses(ValidationSchema, [400, 413, 415]),
      },
    },
    async (request) => {
      const nowMs = deps.now()
      const messages = eventsOf(request).flatMap((event) => {
        const parsed = parseEvent(event, { nowMs, newId: () => 'new' })
        return parsed.kind === 'refused' ? [messageOf(parsed.refusal)] : []
      })
      return { validationMessages: messages.slice(0, MESSAGES_MAX) }
    },
  )
}

/** The body is looked at by the mapper, event by event; the schema is for readers. */
const UNCHECKED = {
  validatorCompiler: () => () => true,
  config: { scope: 'events', keyParameter: 'api_secret' },
} as const

function eventsOf({ body }: FastifyRequest): unknown[] {
  const fields: Fields | null = fieldsOf(body)
  if (fields === null || !Array.isArray(fields.events)) {
    throw requestInvalid('The body is a JSON object whose "events" is a list.', [
      { pointer: '/events', reason: 'must be a list' },
    ])
  }
  return mapMessages(fields.events, (event, index) => eventsOfGa4(event, fields, index))
}

/** What fields of the canonical event are called in the protocol. */
const PATHS: Readonly<Record<string, string>> = {
  '/user_id': 'client_id',
  '/action': 'events.name',
  '/name': 'events.name',
  '/product_id': 'events.params.items.item_id',
  '/order_id': 'events.params.transaction_id',
  '/session_id': 'events.params.session_id',
  '/query': 'events.params.search_term',
  '/properties': 'events.params',
  '/ts': 'timestamp_micros',
}

function messageOf({ pointer, reason }: Refusal) {
  return { fieldPath: PATHS[pointer] ?? 'events', description: reason, validationCode: 'VALUE_INVALID' }
}
