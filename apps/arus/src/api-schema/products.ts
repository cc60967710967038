/** Products and categories. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

export const ProductSchema = Type.Object({
  product_id: Type.String(),
  title: Type.String(),
  image_url: Nullable(Type.String()),
  product_url: Nullable(Type.String()),
  stars: Nullable(Type.Number()),
  reviews: Type.Integer(),
  price: Nullable(Type.Number()),
  list_price: Nullable(Type.Number()),
  discount: Nullable(Type.Number()),
  category_id: Nullable(Type.Integer()),
  category: Nullable(Type.String()),
  is_best_seller: Type.Boolean(),
  bought_in_last_month: Type.Integer(),
})
export type ProductBody = Static<typeof ProductSchema>

export const ProductPageSchema = Type.Object({
  products: Type.Array(Type.Intersect([ProductSchema, Type.Object({ score: Type.Number() })])),
  total: Type.Integer(),
  total_is_exact: Type.Boolean(),
  next_cursor: Nullable(Type.String()),
  took_ms: Type.Number(),
})
export type ProductPage = Static<typeof ProductPageSchema>

export const CategoriesSchema = Type.Object({
  categories: Type.Array(
    Type.Object({ category_id: Type.Integer(), name: Type.String(), product_count: Type.Integer() }),
  ),
})
export type CategoriesBody = Static<typeof CategoriesSchema>
