import Type from 'typebox'
import { EventInputSchema, IngestResultSchema } from '../../api-schema/index.ts'
import type { ArusError } from '../../errors.ts'
import type { EventError, IngestResult } from '../../events/ingest.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'
import { requestInvalid } from '../problem.ts'
import { responses } from '../responses.ts'
import { acceptEvents } from './accept-events.ts'
import { answerOnce } from './answer-once.ts'
import { IdempotencyHeader } from './idempotency-key.ts'
import { IdempotentAnswers, idempotencyOf } from './idempotent-answers.ts'
import {
  isBinaryCloudEvent,
  parseBinaryCloudEvent,
  parseCloudEvent,
  parseCloudEventBatch,
} from './parse-cloudevents.ts'
import { type ParsedEvents, parseJsonEvents, parseNdjsonEvents } from './parse-events.ts'

/** Reasons listed in an answer; the counts are exact. */
const ERROR_LIMIT = 100

const STRUCTURED = 'application/cloudevents+json'
const BATCHED = 'application/cloudevents-batch+json'

const CloudEventSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({ description: 'With source it becomes the event_id.' }),
    source: Type.String(),
    type: Type.String({ description: 'Its last dotted part is the action where data has none.' }),
    time: Type.Optional(Type.String()),
    data: Type.Record(Type.String(), Type.Unknown(), { description: 'The event, or fields of it.' }),
  },
  { additionalProperties: true },
)

const EXAMPLE = [{ user_id: 1, action: 'view', product_id: 'B001LAPTOP' }]

/** `POST /stream/events`. Registers its own body parsers, so `scope` must be encapsulated. */
export function eventRoutes(scope: Api, deps: ApiDeps, metrics: ApiMetrics): void {
  const answers = new IdempotentAnswers(idempotencyOf(deps))
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, ({ headers }, body, done) =>
    parse(
      () =>
        isBinaryCloudEvent(headers)
          ? parseBinaryCloudEvent(body as string, headers)
          : parseJsonEvents(body as string),
      done,
    ),
  )
  scope.addContentTypeParser(STRUCTURED, { parseAs: 'string' }, (_request, body, done) =>
    parse(() => parseCloudEvent(body as string), done),
  )
  scope.addContentTypeParser(BATCHED, { parseAs: 'string' }, (_request, body, done) =>
    parse(() => parseCloudEventBatch(body as string), done),
  )
  // A page may send plain text to any origin, by beacon too, without asking first.
  scope.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) =>
    parse(() => parseJsonEvents(body as string), done),
  )
  scope.addContentTypeParser(
    ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
    { parseAs: 'string' },
    (_request, body, done) => parse(() => parseNdjsonEvents(body as string), done),
  )
  scope.post(
    '/stream/events',
    {
      config: { scope: 'events', keyParameter: 'key' },
      validatorCompiler: () => () => true,
      schema: {
        tags: ['events'],
        summary: 'Take events in',
        description:
          'One event, an array, NDJSON, or CloudEvents 1.0 (structured, batched, and binary by `ce-` headers); gzip too. JSON may come as `text/plain`, as beacons send it. Answers when the events are durable. In a list a bad event never sinks the others: it is counted in `rejected`, listed in `errors` and kept for replay. A bad event sent alone is a 400. The same `Idempotency-Key` with the same body gets the same answer again. 503 with `Retry-After` when too much is in flight.',
        consumes: ['application/json', 'text/plain', 'application/x-ndjson', STRUCTURED, BATCHED],
        body: {
          content: {
            'application/json': {
              schema: Type.Union([Type.Array(EventInputSchema), EventInputSchema], { examples: [EXAMPLE] }),
            },
            'text/plain': { schema: Type.String({ description: 'The same JSON, as beacons send it.' }) },
            'application/x-ndjson': { schema: Type.String({ description: 'One JSON event per line.' }) },
            [STRUCTURED]: { schema: CloudEventSchema },
            [BATCHED]: { schema: Type.Array(CloudEventSchema) },
          },
        },
        headers: IdempotencyHeader,
        response: responses(IngestResultSchema, [400, 409, 413, 415, 422, 503]),
      },
    },
    async (request, reply) => {
      const parsed = request.body as ParsedEvents | undefined
      if (parsed === undefined)
        throw requestInvalid('The body is empty; send an event, an array of events, or NDJSON.')
      const work = async (events: readonly unknown[]) => {
        const result = explained(await acceptEvents(events, deps, metrics), parsed)
        if (parsed.isSingle && result.rejected > 0) throw refusalOf(result.errors)
        return { ...result, errors: result.errors.slice(0, ERROR_LIMIT) }
      }
      const { events } = parsed
      return answerOnce(request, reply, { answers, content: events, events, work })
    },
  )
}

function parse(work: () => ParsedEvents, done: (error: Error | null, body?: ParsedEvents) => void): void {
  let body: ParsedEvents
  try {
    body = work()
  } catch (error) {
    done(error instanceof Error ? error : requestInvalid(String(error)))
    return
  }
  done(null, body)
}

/** Ingest saw only a text where an event could not be used; says what was really wrong with it. */
function explained(result: IngestResult, { reasons }: ParsedEvents): IngestResult {
  if (reasons.size === 0) return result
  const errors = result.errors.map((error) => {
    const reason = reasons.get(error.index)
    return reason === undefined ? error : { index: error.index, pointer: '', reason }
  })
  return { ...result, errors }
}

function refusalOf(errors: readonly EventError[]): ArusError {
  const places = errors.map(({ pointer, reason }) => ({ pointer, reason }))
  const list = places.map(({ pointer, reason }) => (pointer === '' ? `it ${reason}` : `${pointer} ${reason}`))
  return requestInvalid(`The event was not taken: ${list.join('; ')}.`, places)
}
