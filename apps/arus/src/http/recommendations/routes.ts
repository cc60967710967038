import type { FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import {
  type PassportBody,
  PassportSchema,
  RecommendationSchema,
  TrendingCategoriesSchema,
  TrendingSchema,
} from '../../api-schema/index.ts'
import { ArusError } from '../../errors.ts'
import type { RecommendationAnswer, RecommendationRequest } from '../../recommend/recommendation.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'
import { PriceSchema } from '../price.ts'
import { requestInvalid } from '../problem.ts'
import { responses } from '../responses.ts'
import { answerText } from './answer-text.ts'
import { CURSOR_LENGTH_MAX, cursorAfter, shownBefore } from './cursor.ts'

const TAGS = ['recommendations']
/** Products of a cart at most. */
const CART_MAX = 100
/** Characters of one list of ids; see `CURSOR_LENGTH_MAX`. */
const CART_LENGTH_MAX = 4_000
const EXCLUDE_LENGTH_MAX = 6_000

const Id = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 512, description, examples: [example] })

export const LimitSchema = Type.Integer({
  minimum: 1,
  maximum: 100,
  default: 10,
  description: 'How many products.',
})

const FilterFields = {
  limit: LimitSchema,
  scenario: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_-]{0,39}$',
      description: 'Where it is shown; kept in the passport.',
      examples: ['home'],
    }),
  ),
  category: Type.Optional(Type.String({ maxLength: 200, description: 'Id or name of a category.' })),
  min_price: Type.Optional(PriceSchema),
  max_price: Type.Optional(PriceSchema),
  exclude: Type.Optional(
    Type.Array(Type.String({ maxLength: EXCLUDE_LENGTH_MAX }), {
      maxItems: 200,
      description: 'Products not to recommend: comma-separated, or the parameter several times.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: CURSOR_LENGTH_MAX, description: 'next_cursor of the page before.' }),
  ),
}

const ProductList = Type.Array(Type.String({ maxLength: CART_LENGTH_MAX }), {
  minItems: 1,
  maxItems: CART_MAX,
})
const CartQuery = Type.Object({
  ...FilterFields,
  products: {
    ...ProductList,
    description:
      'Products of the cart, the last added last: comma-separated, or the parameter several times.',
    examples: [['B001LAPTOP', 'B002MOUSE']],
  },
})
const SessionQuery = Type.Object(FilterFields)
const UserQuery = Type.Object({
  ...FilterFields,
  session_id: Type.Optional(
    Type.String({ maxLength: 512, description: 'The session under way; its events count first.' }),
  ),
})

type Query = Static<typeof UserQuery>

/** `/recommendations/…` */
export function recommendationRoutes(
  app: Api,
  { recommender, passports, live }: ApiDeps,
  metrics: ApiMetrics,
): void {
  const page = async (
    query: Query,
    reply: FastifyReply,
    answerTo: (request: RecommendationRequest) => Promise<RecommendationAnswer>,
  ) => {
    const request = requestOf(query)
    const shown = query.cursor ? shownBefore(query.cursor) : []
    const answer = await answerTo({
      ...request,
      exclude: [...(request.exclude ?? []), ...shown],
      shownCount: shown.length,
    })
    metrics.countRecommendation(answer.fallback)
    reply.type('application/json; charset=utf-8').serializer(answerText as (page: unknown) => string)
    return { ...answer, next_cursor: cursorAfter(shown, answer.recommendations, request.limit) }
  }

  app.get(
    '/recommendations/user/:user_id',
    {
      config: { scope: 'shoppers' },
      schema: {
        tags: TAGS,
        summary: 'Recommendations for a shopper',
        description:
          'Follows the shopper’s newest event. `fallback` says which level answered; null is the model.',
        params: Type.Object({ user_id: Id('The shopper.', 'u1') }),
        querystring: UserQuery,
        response: responses(RecommendationSchema, [400]),
      },
    },
    async (request, reply) => {
      const { user_id } = request.params
      return page(request.query, reply, (asked) => recommender.forUser(user_id, asked))
    },
  )

  app.get(
    '/recommendations/session/:session_id',
    {
      config: { scope: 'recommend' },
      schema: {
        tags: TAGS,
        summary: 'Recommendations for a session',
        params: Type.Object({ session_id: Id('The session.', 's1') }),
        querystring: SessionQuery,
        response: responses(RecommendationSchema, [400]),
      },
    },
    async (request, reply) => {
      const { session_id } = request.params
      return page(request.query, reply, (asked) => recommender.forSession(session_id, asked))
    },
  )

  app.get(
    '/recommendations/cart',
    {
      config: { scope: 'recommend' },
      schema: {
        tags: TAGS,
        summary: 'What goes with a cart',
        description: 'Products of the cart that nothing is known of are passed over.',
        querystring: CartQuery,
        response: responses(RecommendationSchema, [400]),
      },
    },
    async (request, reply) => {
      const { products, ...query } = request.query
      const cart = idsIn(products)
      if (cart.length === 0 || cart.length > CART_MAX)
        throw requestInvalid(`A cart has 1 to ${CART_MAX} products, found ${cart.length}.`, [
          { pointer: '/products', reason: `must name 1 to ${CART_MAX} products` },
        ])
      return page(query, reply, (asked) => recommender.forCart(cart, asked))
    },
  )

  app.get(
    '/recommendations/similar/:product_id',
    {
      config: { scope: 'recommend' },
      schema: {
        tags: TAGS,
        summary: 'Products like this one',
        params: Type.Object({ product_id: Id('The product.', 'B001LAPTOP') }),
        querystring: SessionQuery,
        response: responses(RecommendationSchema, [400, 404]),
      },
    },
    async (request, reply) => {
      const { product_id } = request.params
      return page(request.query, reply, (asked) => recommender.similar(product_id, asked))
    },
  )

  app.get(
    '/recommendations/trending',
    {
      config: { scope: 'recommend' },
      schema: {
        tags: TAGS,
        summary: 'What is rising now',
        querystring: Type.Object({ limit: LimitSchema }),
        response: responses(TrendingSchema, [400]),
      },
    },
    async (request) => recommender.trending(request.query.limit),
  )

  app.get(
    '/recommendations/trending/categories',
    {
      config: { scope: 'recommend' },
      schema: {
        tags: TAGS,
        summary: 'Categories that are rising now',
        description: 'By the score of products, over everything done with the products of a category.',
        querystring: Type.Object({ limit: LimitSchema }),
        response: responses(TrendingCategoriesSchema, [400]),
      },
    },
    async (request) => ({ categories: [...(live()?.trendingCategories(request.query.limit) ?? [])] }),
  )

  app.get(
    '/recommendations/:recommendation_id',
    {
      config: { scope: 'shoppers' },
      schema: {
        tags: TAGS,
        summary: 'The passport of an answer',
        description:
          'Which events, model and candidates an answer given before rested on, and what came of it. With `recompute` the answer is computed again and compared.',
        querystring: Type.Object({
          recompute: Type.Boolean({ default: false, description: 'Compute the answer again.' }),
        }),
        params: Type.Object({
          recommendation_id: Id('From an answer.', '01939f7e-7c00-7000-8000-000000000000'),
        }),
        response: responses(PassportSchema, [400, 404]),
      },
    },
    async (request) => {
      const { recommendation_id } = request.params
      const isRecomputed = request.query.recompute
      const passport = await passports.explain(recommendation_id, { isRecomputed })
      if (passport !== null) return passport as unknown as PassportBody
      throw new ArusError(
        'RECOMMENDATION_UNKNOWN',
        `No answer with the id ${JSON.stringify(recommendation_id)} was given. Ids are in "recommendation_id" of /recommendations/user/{id}.`,
      )
    },
  )
}

function requestOf(query: Query): RecommendationRequest {
  const { min_price, max_price, exclude } = query
  if (min_price !== undefined && max_price !== undefined && min_price > max_price) {
    throw requestInvalid(`min_price (${min_price}) is above max_price (${max_price}).`, [
      { pointer: '/min_price', reason: 'must not be above max_price' },
    ])
  }
  return {
    limit: query.limit,
    scenario: query.scenario,
    sessionId: query.session_id || undefined,
    category: query.category || undefined,
    minPrice: min_price,
    maxPrice: max_price,
    exclude: idsIn(exclude ?? []),
  }
}

/** Ids of a parameter that may be a list with commas, or given several times. */
function idsIn(lists: readonly string[]): string[] {
  return lists.flatMap((ids) => ids.split(',')).filter((id) => id !== '')
}
