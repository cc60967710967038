/** Events sent and their receipt. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

export const IngestResultSchema = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Integer(),
  errors: Type.Array(Type.Object({ index: Type.Integer(), pointer: Type.String(), reason: Type.String() })),
})
export type IngestBody = Static<typeof IngestResultSchema>

export const EventSchema = Type.Object({
  event_id: Type.String(),
  user_id: Nullable(Type.String()),
  session_id: Nullable(Type.String()),
  anonymous_id: Nullable(Type.String()),
  action: Type.String(),
  product_id: Nullable(Type.String()),
  ts: Type.Integer(),
  received_at: Type.Integer(),
  price: Nullable(Type.Number()),
  quantity: Nullable(Type.Number()),
  order_id: Nullable(Type.String()),
  recommendation_id: Nullable(Type.String()),
  position: Nullable(Type.Integer()),
  query: Nullable(Type.String()),
  properties: Nullable(Type.Record(Type.String(), Type.Unknown())),
})

const IdInput = (description: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Integer()], { description }))

/** An event as it may be sent. Documentation: ingest validates event by event, so that one never sinks the others. */
export const EventInputSchema = Type.Object(
  {
    event_id: IdInput('Idempotency key; given one when absent.'),
    user_id: IdInput('At least one of user_id, anonymous_id and session_id is needed.'),
    anonymous_id: IdInput('A visitor who is not known.'),
    session_id: IdInput('The session.'),
    action: Type.String({
      description: 'view, click, add_to_cart, remove_from_cart, purchase, search, recommendation_viewed, …',
      examples: ['view'],
    }),
    product_id: IdInput('The product.'),
    ts: Type.Optional(
      Type.Union([Type.Integer(), Type.String()], { description: 'Event time; now when absent.' }),
    ),
    price: Type.Optional(Type.Number({ description: 'Of one unit.' })),
    quantity: Type.Optional(Type.Number()),
    order_id: IdInput('The order of a purchase.'),
    recommendation_id: Type.Optional(Type.String({ description: 'The answer that showed the product.' })),
    position: Type.Optional(Type.Integer({ description: 'Rank at which it was shown, from 1.' })),
    query: Type.Optional(Type.String({ description: 'Text of a search.' })),
    properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: true },
)
