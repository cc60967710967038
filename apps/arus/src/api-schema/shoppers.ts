/** What live state knows of a shopper. */
import Type from 'typebox'
import { Nullable } from './nullable.ts'

/** `GET /users/{user_id}`; times are UTC ms of event time. */
export const ShopperSchema = Type.Object({
  user_id: Type.String(),
  events: Type.Integer(),
  first_seen: Type.Integer(),
  last_seen: Type.Integer(),
  open_sessions: Type.Integer(),
  sessions: Type.Array(
    Type.Object({
      session: Type.String(),
      started_at: Type.Integer(),
      ended_at: Type.Integer(),
      events: Type.Integer(),
      purchases: Type.Integer(),
      is_open: Type.Boolean(),
    }),
    { description: 'The newest first, at most 20' },
  ),
  categories: Type.Array(
    Type.Object({
      category: Type.String(),
      share: Type.Number({ description: 'Of their interest, 0 to 1' }),
    }),
    { description: 'The greatest share first, at most 5' },
  ),
  price: Nullable(
    Type.Object(
      { low: Type.Number(), middle: Type.Number(), high: Type.Number() },
      { description: 'Quartiles of the prices of what they touched, weighted as for recommendations' },
    ),
  ),
})
