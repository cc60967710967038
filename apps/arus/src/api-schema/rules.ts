/** Rules of the business: what they may hold, and what a preview of them answers. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'
import { FallbackSchema, RecommendedProductSchema } from './recommendations.ts'

/** Products and categories that one rule may name. */
export const RULE_PRODUCTS_MAX = 1_000
export const RULE_CATEGORIES_MAX = 100
export const RULE_SCENARIOS_MAX = 20
/** Weakest and strongest factor of a score. */
export const FACTOR_MIN = 0.01
export const FACTOR_MAX = 100
/** Highest rank a product may be pinned to: so many products have all pages together. */
export const PIN_RANK_MAX = 200

const PRICE_MAX = 1_000_000_000_000

const Scenario = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,39}$' })
const ProductId = Type.String({ minLength: 1, maxLength: 512 })
/** One type array rather than a union, so that a wrong value is told of once. */
const Moment = (description: string) =>
  Type.Optional(
    Type.Unsafe<number | string | null>({
      type: ['integer', 'string', 'null'],
      maxLength: 40,
      description: `${description}: UTC ms or ISO 8601.`,
      examples: ['2026-12-24T00:00:00Z'],
    }),
  )

const Common = {
  name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', description: 'For people.' }),
  enabled: Type.Optional(Type.Boolean({ description: 'True when not given.' })),
  scenarios: Type.Optional(
    Type.Array(Scenario, {
      maxItems: RULE_SCENARIOS_MAX,
      description: 'Where it applies; everywhere when there are none.',
      examples: [['home', 'email']],
    }),
  ),
  starts_at: Moment('In force from here on; at once when null'),
  ends_at: Moment('In force until then; until it is removed when null'),
}

/** Which products a rule is about: those for which everything given holds. */
const Target = {
  products: Type.Optional(
    Type.Array(ProductId, { maxItems: RULE_PRODUCTS_MAX, description: 'One of these.' }),
  ),
  categories: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: RULE_CATEGORIES_MAX,
      description: 'In one of these, by id or by name in any case.',
      examples: [['Toys']],
    }),
  ),
  min_price: Type.Optional(Type.Number({ minimum: 0, maximum: PRICE_MAX })),
  max_price: Type.Optional(Type.Number({ minimum: 0, maximum: PRICE_MAX })),
}

const EXACT = { additionalProperties: false } as const

/** By kind, what must be said to make a rule. */
export const NEW_RULE_SCHEMAS = {
  boost: Type.Object(
    {
      kind: Type.Literal('boost'),
      ...Common,
      ...Target,
      factor: Type.Number({
        exclusiveMinimum: 1,
        maximum: FACTOR_MAX,
        description: 'The score is multiplied by it.',
        examples: [2],
      }),
    },
    EXACT,
  ),
  bury: Type.Object(
    {
      kind: Type.Literal('bury'),
      ...Common,
      ...Target,
      factor: Type.Number({
        minimum: FACTOR_MIN,
        exclusiveMaximum: 1,
        description: 'The score is multiplied by it.',
        examples: [0.5],
      }),
    },
    EXACT,
  ),
  pin: Type.Object(
    {
      kind: Type.Literal('pin'),
      ...Common,
      product_id: ProductId,
      rank: Type.Integer({
        minimum: 1,
        maximum: PIN_RANK_MAX,
        description: 'From 1, counted over all pages.',
      }),
    },
    EXACT,
  ),
  exclude: Type.Object({ kind: Type.Literal('exclude'), ...Common, ...Target }, EXACT),
  diversify: Type.Object(
    {
      kind: Type.Literal('diversify'),
      ...Common,
      lambda: Type.Number({
        minimum: 0,
        maximum: 1,
        description: '1: by score alone; 0: by difference alone.',
        examples: [0.7],
      }),
      window: Type.Optional(
        Type.Integer({
          minimum: 2,
          maximum: 200,
          description: 'The best so many are put in order; 50 when not given.',
        }),
      ),
    },
    EXACT,
  ),
  cap: Type.Object(
    {
      kind: Type.Literal('cap'),
      ...Common,
      per_category: Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'Products of one category in an answer at most.',
      }),
      categories: Target.categories,
    },
    EXACT,
  ),
  explore: Type.Object(
    {
      kind: Type.Literal('explore'),
      ...Common,
      probability: Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Of each place, that its product is drawn at random.',
        examples: [0.05],
      }),
      pool: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 100,
          description: 'Drawn from the next best so many; 20 when not given.',
        }),
      ),
    },
    EXACT,
  ),
}

export const NewRuleSchema = Type.Union(
  [
    NEW_RULE_SCHEMAS.boost,
    NEW_RULE_SCHEMAS.bury,
    NEW_RULE_SCHEMAS.pin,
    NEW_RULE_SCHEMAS.exclude,
    NEW_RULE_SCHEMAS.diversify,
    NEW_RULE_SCHEMAS.cap,
    NEW_RULE_SCHEMAS.explore,
  ],
  { examples: [{ kind: 'boost', name: 'Toys in December', categories: ['Toys'], factor: 2 }] },
)
export type NewRuleBody = Static<typeof NewRuleSchema>

const KindSchema = Type.Union([
  Type.Literal('boost'),
  Type.Literal('bury'),
  Type.Literal('pin'),
  Type.Literal('exclude'),
  Type.Literal('diversify'),
  Type.Literal('cap'),
  Type.Literal('explore'),
])

/** A rule as it is kept: what all have, and the fields of its kind. */
export const RuleSchema = Type.Object({
  id: Type.String(),
  kind: KindSchema,
  name: Type.String(),
  enabled: Type.Boolean(),
  scenarios: Type.Array(Type.String()),
  starts_at: Nullable(Type.Integer({ description: 'UTC ms.' })),
  ends_at: Nullable(Type.Integer({ description: 'UTC ms.' })),
  products: Type.Optional(Type.Array(Type.String())),
  categories: Type.Optional(Type.Array(Type.String())),
  min_price: Type.Optional(Type.Number()),
  max_price: Type.Optional(Type.Number()),
  factor: Type.Optional(Type.Number()),
  product_id: Type.Optional(Type.String()),
  rank: Type.Optional(Type.Integer()),
  lambda: Type.Optional(Type.Number()),
  window: Type.Optional(Type.Integer()),
  per_category: Type.Optional(Type.Integer()),
  probability: Type.Optional(Type.Number()),
  pool: Type.Optional(Type.Integer()),
  created_at: Type.Integer({ description: 'UTC ms.' }),
  updated_at: Type.Integer({ description: 'UTC ms.' }),
})

/** `GET /rules` */
export const RulesSchema = Type.Object({ rules: Type.Array(RuleSchema) })

/** Unsaved rules that one preview takes. */
const PREVIEW_RULES_MAX = 50

const PreviewFields = {
  user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'For a shopper.' })),
  session_id: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'For a session.' })),
  product_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 512, description: 'Products like this one.' }),
  ),
  cart: Type.Optional(
    Type.Array(ProductId, { minItems: 1, maxItems: 100, description: 'What goes with these.' }),
  ),
  scenario: Type.Optional(Scenario),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '10 when not given.' })),
  category: Type.Optional(Type.String({ maxLength: 200 })),
  min_price: Target.min_price,
  max_price: Target.max_price,
  exclude: Type.Optional(Type.Array(ProductId, { maxItems: 200 })),
  without: Type.Optional(
    Type.Array(Type.String({ maxLength: 64 }), {
      maxItems: 200,
      description: 'Ids of kept rules to leave out, such as the one that an unsaved rule shall replace.',
    }),
  ),
  at: Moment('As if it were then; now when null'),
}

/** `POST /rules/preview`: what is asked, and for which shopper, session, product or cart. */
export const PreviewRequestSchema = Type.Object(
  {
    ...PreviewFields,
    rules: Type.Array(NewRuleSchema, { maxItems: PREVIEW_RULES_MAX, description: 'Unsaved rules.' }),
  },
  {
    additionalProperties: false,
    examples: [
      {
        user_id: 'u1',
        scenario: 'home',
        limit: 5,
        rules: [{ kind: 'pin', name: 'New in', product_id: 'B001LAPTOP', rank: 1 }],
      },
    ],
  },
)
export type PreviewRequestBody = Static<typeof PreviewRequestSchema>

/** The same, with rules that are looked at one by one. */
export const PreviewFrameSchema = Type.Object(
  { ...PreviewFields, rules: Type.Array(Type.Unknown(), { maxItems: PREVIEW_RULES_MAX }) },
  { additionalProperties: false },
)

const PreviewAnswerSchema = Type.Object({
  recommendations: Type.Array(RecommendedProductSchema),
  fallback: FallbackSchema,
})
const RuleNameSchema = Type.Object({
  id: Type.String({ description: 'Of an unsaved rule `new_1`, `new_2`, …, by its place in the request.' }),
  kind: Type.String(),
  name: Type.String(),
})

/** The answer with the rules kept, and with those of the request. */
export const RulesPreviewSchema = Type.Object({
  scenario: Type.String(),
  at: Type.Integer({ description: 'UTC ms.' }),
  before: PreviewAnswerSchema,
  after: PreviewAnswerSchema,
  /** Products whose rank is not the same, those of `after` first. */
  changes: Type.Array(
    Type.Object({
      product_id: Type.String(),
      title: Nullable(Type.String()),
      rank_before: Nullable(Type.Integer()),
      rank_after: Nullable(Type.Integer()),
      /** Rules of the request, or left out by it, that touched it; none where it only made room. */
      rules: Type.Array(RuleNameSchema),
    }),
  ),
  /** Unsaved rules that touched no product of this answer. */
  without_effect: Type.Array(RuleNameSchema),
})
export type RuleBody = Static<typeof RuleSchema>
export type RulesPreviewBody = Static<typeof RulesPreviewSchema>
export type RulesBody = Static<typeof RulesSchema>
