/** Recommendations, trends and their passports. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

export const ReasonSchema = Type.Object({
  kind: Type.Union([
    Type.Literal('because_of'),
    Type.Literal('similar'),
    Type.Literal('bought_together'),
    Type.Literal('seen_together'),
    Type.Literal('session'),
    Type.Literal('trending'),
    Type.Literal('popular'),
    Type.Literal('static'),
    Type.Literal('pinned'),
  ]),
  /** Product of the shopper's past that led to this one. */
  because_of: Type.Optional(Type.Object({ product_id: Type.String(), title: Nullable(Type.String()) })),
})

export const RecommendedProductSchema = Type.Object({
  product_id: Type.String(),
  rank: Type.Integer({ description: 'From 1.' }),
  score: Type.Number(),
  reason: ReasonSchema,
  title: Nullable(Type.String()),
  category: Nullable(Type.String()),
  price: Nullable(Type.Number()),
  list_price: Nullable(Type.Number()),
  image_url: Nullable(Type.String()),
  product_url: Nullable(Type.String()),
  stars: Nullable(Type.Number()),
  reviews: Nullable(Type.Integer()),
})
export type RecommendedProduct = Static<typeof RecommendedProductSchema>

export const FallbackSchema = Nullable(
  Type.Union([
    Type.Literal('session'),
    Type.Literal('trending'),
    Type.Literal('popular'),
    Type.Literal('static'),
  ]),
)

export const RecommendationSchema = Type.Object({
  recommendation_id: Type.String(),
  user_id: Nullable(Type.String()),
  scenario: Type.String(),
  recommendations: Type.Array(RecommendedProductSchema),
  model: Nullable(
    Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      trained_at: Type.String({ format: 'date-time' }),
    }),
  ),
  fallback: FallbackSchema,
  experiments: Type.Optional(
    Type.Array(Type.Object({ id: Type.String(), variant: Type.String() }), {
      description: 'The experiments the answer belongs to; absent where there is none.',
    }),
  ),
  generated_at: Type.String({ format: 'date-time' }),
  took_ms: Type.Number(),
  next_cursor: Type.Optional(
    Nullable(
      Type.String({
        description:
          'As `cursor` in the next request: products that no page before had; null when there are no more. In answers over HTTP.',
      }),
    ),
  ),
})
export type Recommendation = Static<typeof RecommendationSchema>

export const TrendingSchema = Type.Object({
  trending: Type.Array(
    Type.Intersect([
      RecommendedProductSchema,
      Type.Object({
        trend_score: Type.Number(),
        views_today: Type.Integer(),
        growth_rate: Nullable(Type.Number()),
      }),
    ]),
  ),
  fallback: FallbackSchema,
  generated_at: Type.String({ format: 'date-time' }),
  took_ms: Type.Number(),
})
export type Trending = Static<typeof TrendingSchema>

const ResultSchema = Type.Array(
  Type.Object({
    product_id: Type.String(),
    rank: Type.Integer(),
    score: Type.Number(),
    reason: Type.String(),
    propensity: Type.Optional(
      Type.Number({
        description: 'How likely this product was at this rank, given those above it; where a rule explored.',
      }),
    ),
  }),
)

/** `GET /recommendations/{recommendation_id}`: where an answer came from. */
export const PassportSchema = Type.Object({
  recommendation_id: Type.String(),
  user_id: Nullable(Type.String()),
  session_id: Nullable(Type.String()),
  scenario: Type.String(),
  generated_at: Type.Integer({ description: 'UTC milliseconds.' }),
  fallback: FallbackSchema,
  took_ms: Nullable(Type.Number({ description: 'Milliseconds until the answer was made.' })),
  experiments: Type.Array(
    Type.Object({
      id: Type.String(),
      variant: Type.String(),
      fell_back: Nullable(Type.String({ description: 'Why production answered in the variant’s place.' })),
    }),
  ),
  /** What models in the shadow would have answered. */
  shadows: Type.Array(
    Type.Object({
      id: Type.String(),
      variant: Type.String(),
      model_version: Type.Integer(),
      products: Type.Array(Type.String()),
      fallback: FallbackSchema,
      took_ms: Type.Number(),
      overlap: Type.Number({ description: 'Share of the products that both answers hold.' }),
      rank_agreement: Type.Number({ description: '1: the same in the same order; 0: none in common.' }),
    }),
  ),
  /** Events it rested on, by their place in the log, newest first, at most 50. */
  events: Type.Array(
    Type.Object({
      partition: Type.Integer(),
      offset: Type.Integer(),
      product_id: Type.String(),
      action: Type.String(),
    }),
  ),
  /** Those that came before, as [partition, offset]. */
  earlier_events: Type.Array(Type.Array(Type.Integer())),
  session_event_count: Type.Integer({
    description: 'How many of the newest events were of the session asked with.',
  }),
  /** What was asked; null in answers of before it was kept. */
  request: Nullable(
    Type.Object({
      kind: Type.Union([
        Type.Literal('user'),
        Type.Literal('session'),
        Type.Literal('similar'),
        Type.Literal('cart'),
      ]),
      product_id: Nullable(Type.String()),
      /** The products of a cart, for `cart`. */
      cart: Type.Optional(Type.Array(Type.String())),
      limit: Type.Integer(),
      category: Nullable(Type.String()),
      min_price: Nullable(Type.Number()),
      max_price: Nullable(Type.Number()),
      exclude: Nullable(Type.Array(Type.String())),
      shown_count: Type.Optional(Type.Integer({ description: 'Products on the pages before.' })),
    }),
  ),
  /** The parts that were there: version of the catalogue, of the model, and whether live state was. */
  parts: Nullable(
    Type.Object({
      catalogue: Nullable(Type.String()),
      model: Nullable(Type.Integer()),
      live: Type.Boolean(),
    }),
  ),
  model: Nullable(
    Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      trained_at: Type.String({ format: 'date-time' }),
    }),
  ),
  /** What each retriever brought, and its share of the blend; at most 50 candidates in all. */
  retrievers: Type.Array(
    Type.Object({
      retriever: Type.String(),
      weight: Type.Number(),
      candidates: Type.Array(Type.Object({ product_id: Type.String(), score: Type.Number() })),
    }),
  ),
  filters: Type.Array(Type.String()),
  /** Rules that were in force; absent where there were none. */
  rules: Type.Optional(
    Type.Object({
      revision: Type.Integer({ description: 'The state of all rules; each change makes the next.' }),
      in_force_at: Type.Integer({ description: 'UTC milliseconds.' }),
      /** Those that changed something. */
      applied: Type.Array(
        Type.Object({
          id: Type.String(),
          kind: Type.String(),
          name: Type.String(),
          product_count: Type.Integer({ description: 'Products it touched.' }),
          products: Type.Array(Type.String(), { description: 'At most 20 of them.' }),
        }),
      ),
    }),
  ),
  /** Absent where no rule explored. */
  exploration: Type.Optional(
    Type.Object({
      probability: Type.Number({ description: 'Of each place, that its product was drawn at random.' }),
      pool: Type.Integer({ description: 'Products that could be drawn for the first place.' }),
    }),
  ),
  result: ResultSchema,
  /** How the model in place was made; null when there was none, or the registry does not know it any more. */
  training: Nullable(
    Type.Object({
      version: Type.Integer(),
      kind: Type.String(),
      status: Type.String(),
      table_versions: Type.Record(Type.String(), Type.Integer()),
      params: Type.Record(Type.String(), Type.Unknown()),
      user_count: Type.Integer(),
      product_count: Type.Integer(),
      interaction_count: Type.Integer(),
      trained_at: Type.Integer({ description: 'UTC milliseconds.' }),
      reason: Type.String(),
    }),
  ),
  /** What the shopper did with it, as `/analytics/attribution` counts; null while the lake cannot be asked. */
  outcome: Nullable(
    Type.Object({
      window_ms: Type.Integer(),
      /** In order of rank; empty while the answer is not in the lake yet. */
      products: Type.Array(
        Type.Object({
          product_id: Type.String(),
          seen_at: Nullable(Type.Integer()),
          clicked_at: Nullable(Type.Integer()),
          purchases: Type.Integer(),
          revenue: Type.Number(),
          view_purchases: Type.Integer(),
          view_revenue: Type.Number(),
        }),
      ),
      newest_event_at: Nullable(Type.Integer()),
    }),
  ),
  /** The answer computed again, where asked for. */
  recomputed: Nullable(
    Type.Object({
      kind: Type.Union([Type.Literal('same'), Type.Literal('different'), Type.Literal('impossible')]),
      reasons: Type.Array(Type.String()),
      result: ResultSchema,
    }),
  ),
})
export type PassportBody = Static<typeof PassportSchema>

export const TrendingCategoriesSchema = Type.Object({
  categories: Type.Array(
    Type.Object({
      category: Type.String(),
      trend_score: Type.Number(),
      views_today: Type.Integer(),
      growth_rate: Nullable(Type.Number()),
    }),
  ),
})
