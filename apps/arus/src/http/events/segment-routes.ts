import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Fields, fieldsOf } from '../../events/dialects/canonical-fields.ts'
import { mapMessages } from '../../events/dialects/map-messages.ts'
import { eventsOfSegment, SEGMENT_CALLS, type SegmentCall } from '../../events/dialects/segment.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'
import { requestInvalid } from '../problem.ts'
import { responses } from '../responses.ts'
import { acceptEvents } from './accept-events.ts'
import { jsonText } from './json-text.ts'

const SuccessSchema = Type.Object({ success: Type.Literal(true) })
const SUCCESS = { success: true } as const
const MessageSchema = Type.Object(
  {
    messageId: Type.Optional(Type.String({ description: 'Becomes the event_id: a repeat counts once.' })),
    userId: Type.Optional(Type.String()),
    anonymousId: Type.Optional(Type.String({ description: 'This or userId is needed.' })),
    event: Type.Optional(
      Type.String({ description: 'Name of a track event.', examples: ['Product Viewed'] }),
    ),
    properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    timestamp: Type.Optional(Type.String({ description: 'When it happened, ISO 8601.' })),
    sentAt: Type.Optional(Type.String({ description: 'When it was sent, by the same clock.' })),
  },
  {
    additionalProperties: true,
    examples: [{ userId: 'u1', event: 'Product Viewed', properties: { product_id: 'B001LAPTOP' } }],
  },
)
const BatchSchema = Type.Object(
  {
    batch: Type.Array(
      Type.Intersect([
        Type.Object({ type: Type.Union(SEGMENT_CALLS.map((call) => Type.Literal(call))) }),
        MessageSchema,
      ]),
    ),
    sentAt: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)

/**
 * Segment's tracking API: `/v1/track` and its like, `/v1/batch`, and the one-letter addresses of analytics.js. Registers
 * its own body parsers, so `scope` must be encapsulated. The write key is a key of Arus where keys are required, and not
 * looked at elsewhere.
 */
export function segmentRoutes(scope: Api, deps: ApiDeps, metrics: ApiMetrics): void {
  jsonText(scope)
  for (const call of SEGMENT_CALLS) {
    const answer = async (request: FastifyRequest) => {
      const context = { call, receivedMs: deps.now() }
      await acceptEvents(
        mapMessages([objectOf(request)], (message) => eventsOfSegment(message, context)),
        deps,
        metrics,
      )
      return SUCCESS
    }
    scope.post(`/v1/${call}`, options(`Segment: ${call}`, DESCRIPTIONS[call], MessageSchema), answer)
    scope.post(`/v1/${call[0]}`, HIDDEN, answer)
  }
  const batch = async (request: FastifyRequest) => {
    const body = objectOf(request)
    if (!Array.isArray(body.batch)) {
      throw requestInvalid('A batch is an object whose "batch" is a list of messages.', [
        { pointer: '/batch', reason: 'must be a list' },
      ])
    }
    const context = { sentAt: body.sentAt, receivedMs: deps.now() }
    await acceptEvents(
      mapMessages(body.batch, (message) => eventsOfSegment(message, context)),
      deps,
      metrics,
    )
    return SUCCESS
  }
  scope.post('/v1/batch', options('Segment: batch', BATCH, BatchSchema), batch)
  scope.post('/v1/b', HIDDEN, batch)
}

const BATCH =
  'Messages of any type. Answers when all are durable; a bad message sinks no other, it is kept for replay.'
const DESCRIPTIONS: Readonly<Record<SegmentCall, string>> = {
  track:
    'One event. Names of the ecommerce spec become canonical actions; each product of an order is an event.',
  identify: 'Who a visitor is; kept as an event.',
  page: 'A page was seen.',
  screen: 'A screen of an app was seen.',
  alias: 'Two ids are one person; kept as an event, not used.',
  group: 'A user belongs to a group; kept as an event, not used.',
}

/** The body is looked at by the mapper, message by message; the schema is for readers. */
const UNCHECKED = {
  validatorCompiler: () => () => true,
  config: { scope: 'events', keyParameter: 'key', isKeyInBody: true },
} as const
const HIDDEN = { ...UNCHECKED, schema: { hide: true, response: { 200: SuccessSchema } } }

function options(summary: string, description: string, body: Type.TSchema) {
  return {
    ...UNCHECKED,
    schema: {
      tags: ['events'],
      summary,
      description,
      consumes: ['application/json', 'text/plain'],
      body: { content: { 'application/json': { schema: body }, 'text/plain': { schema: Type.String() } } },
      response: responses(SuccessSchema, [400, 413, 415, 503]),
    },
  }
}

function objectOf({ body }: FastifyRequest): Fields {
  const fields = fieldsOf(body)
  if (fields === null) throw requestInvalid('The body is a JSON object, as Segment’s libraries send it.')
  return fields
}
