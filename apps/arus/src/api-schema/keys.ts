/** Keys of the API. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

const KindSchema = Type.Union([Type.Literal('public'), Type.Literal('secret'), Type.Literal('admin')], {
  description:
    'public: browsers, sends events and reads what is no shopper’s; secret: servers; admin: everything.',
})

export const ApiKeySchema = Type.Object({
  id: Type.String({ description: 'How the key begins; no secret.' }),
  kind: KindSchema,
  name: Type.String(),
  origins: Type.Array(Type.String(), { description: 'Whose pages may use it; empty means any.' }),
  rate_limit_per_minute: Nullable(
    Type.Integer({ description: 'Requests at most; of a public key by each address. Null: no limit.' }),
  ),
  created_at: Type.Integer({ description: 'UTC ms.' }),
  last_used_at: Nullable(Type.Integer({ description: 'UTC ms, to the minute.' })),
  revoked_at: Nullable(Type.Integer({ description: 'UTC ms.' })),
})
export type ApiKeyBody = Static<typeof ApiKeySchema>

export const ApiKeysSchema = Type.Object({ keys: Type.Array(ApiKeySchema) })

/** The answer to making a key: the only one that holds its text. */
export const CreatedKeySchema = Type.Object({
  ...ApiKeySchema.properties,
  key: Type.String({ description: 'The text of the key; keep it, it is not shown again.' }),
})

export const NewApiKeySchema = Type.Object(
  {
    kind: KindSchema,
    name: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '\\S',
      description: 'For people: who or what uses it.',
    }),
    origins: Type.Optional(
      Type.Array(Type.String({ maxLength: 300 }), {
        maxItems: 100,
        description: 'Whose pages may use it; none means any.',
        examples: [['https://shop.example']],
      }),
    ),
    rate_limit_per_minute: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: '0: no limit. Without it 6,000 for public keys, none for others.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ kind: 'public', name: 'shop.example' }] },
)
