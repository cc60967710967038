export type {
  Arus,
  ArusOptions,
  EventFields,
  OrderLine,
  ProductFields,
  RecommendationQuery,
  Recommendations,
  RecommendedProduct,
} from './api.ts'
export { init } from './init.ts'
