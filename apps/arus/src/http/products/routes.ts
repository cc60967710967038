import Type, { type Static } from 'typebox'
import { CategoriesSchema, ProductPageSchema, ProductSchema } from '../../api-schema/index.ts'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { ArusError } from '../../errors.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { PriceSchema } from '../price.ts'
import { requestInvalid } from '../problem.ts'
import { responses } from '../responses.ts'
import { cursorOf, OFFSET_MAX, offsetOf } from './cursor.ts'

const TAGS = ['products']

const SearchQuery = Type.Object({
  q: Type.String({
    maxLength: 500,
    default: '',
    description: 'Words; empty lists by popularity.',
    examples: ['laptop'],
  }),
  category_id: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  min_price: Type.Optional(PriceSchema),
  max_price: Type.Optional(PriceSchema),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`next_cursor` of the page before.' })),
})

/** `/products` and `/categories` */
export function productRoutes(app: Api, deps: ApiDeps): void {
  app.get(
    '/products/:product_id',
    {
      config: { scope: 'products' },
      schema: {
        tags: TAGS,
        summary: 'One product',
        params: Type.Object({ product_id: Type.String({ minLength: 1, maxLength: 512 }) }),
        response: responses(ProductSchema, [400, 404, 503]),
      },
    },
    async (request) => {
      const { product_id } = request.params
      const product = catalogueOf(deps).get(product_id)
      if (product !== undefined) return product
      throw new ArusError(
        'PRODUCT_UNKNOWN',
        `No product ${JSON.stringify(product_id)} in the catalogue; /products?q= searches it.`,
      )
    },
  )

  app.get(
    '/products',
    {
      config: { scope: 'products' },
      schema: {
        tags: TAGS,
        summary: 'Search products',
        querystring: SearchQuery,
        response: responses(ProductPageSchema, [400, 503]),
      },
    },
    async (request) => pageOf(catalogueOf(deps), request.query),
  )

  app.get(
    '/categories',
    {
      config: { scope: 'products' },
      schema: { tags: TAGS, summary: 'All categories', response: responses(CategoriesSchema, [503]) },
    },
    async () => ({ categories: [...catalogueOf(deps).categories()] }),
  )
}

function pageOf(catalogue: Catalogue, query: Static<typeof SearchQuery>): Static<typeof ProductPageSchema> {
  const startedMs = performance.now()
  const { q, limit, cursor, category_id, min_price, max_price } = query
  if (min_price !== undefined && max_price !== undefined && min_price > max_price) {
    throw requestInvalid(`min_price (${min_price}) is above max_price (${max_price}).`, [
      { pointer: '/min_price', reason: 'must not be above max_price' },
    ])
  }
  const search = JSON.stringify([catalogue.version, q, category_id, min_price, max_price])
  const offset = cursor === undefined ? 0 : offsetOf(cursor, search)
  const { total, total_is_exact, products } = catalogue.search(q, {
    limit,
    offset,
    ...(category_id === undefined ? {} : { category_id }),
    ...(min_price === undefined ? {} : { min_price }),
    ...(max_price === undefined ? {} : { max_price }),
  })
  const next = offset + products.length
  const hasMore = products.length === limit && next < total && next <= OFFSET_MAX
  return {
    products: products.map(({ product, score }) => ({ ...product, score })),
    total,
    total_is_exact,
    next_cursor: hasMore ? cursorOf(next, search) : null,
    took_ms: Math.round((performance.now() - startedMs) * 1000) / 1000,
  }
}

function catalogueOf({ catalogue }: ApiDeps): Catalogue {
  const current = catalogue()
  if (current === null) {
    throw new ArusError(
      'CATALOGUE_EMPTY',
      'No catalogue is in service. Import one with "arus import products.csv".',
    )
  }
  return current
}
