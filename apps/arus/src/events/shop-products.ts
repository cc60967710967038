import type { Catalogue } from '../catalogue/catalogue.ts'
import type { ShopProduct } from './shoppers.ts'

const PRODUCTS_MAX = 20_000
const PRICE_WHERE_NONE = 20

/** The products simulated shoppers look at: the most popular of each category, most popular first. */
export function shopProducts(catalogue: Catalogue, limit: number = PRODUCTS_MAX): ShopProduct[] {
  const categories = catalogue.categories().filter((category) => category.product_count > 0)
  const perCategory = Math.max(1, Math.ceil(limit / Math.max(1, categories.length)))
  const best =
    categories.length === 0
      ? catalogue.popular(limit)
      : categories.flatMap(({ category_id }) => catalogue.popular(perCategory, category_id))
  const scores = new Map(best.map(({ product_id, score }) => [product_id, score]))
  return catalogue
    .getMany([...scores.keys()])
    .filter((product) => product !== undefined)
    .map(({ product_id, category_id, category, price }) => ({
      product_id,
      category_id: category_id ?? 0,
      category,
      price: price ?? PRICE_WHERE_NONE,
      popularity: scores.get(product_id) ?? 0,
    }))
    .slice(0, limit)
}
