import type { SeededRandom } from './seeded-random.ts'

/** Figures of one generated product; 0 means "none", as in the files people have. */
export interface ProductFigures {
  stars: number
  reviews: number
  price: number
  listPrice: number
  isBestSeller: boolean
  boughtInLastMonth: number
}

/** Steps in which shops state recent purchases. */
const BOUGHT_STEPS = [
  50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000,
  10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000, 100_000,
]

const REVIEWS_MAX = 346_000
const PRICE_MAX = 19_731.81

/**
 * Draws the figures of one product into `into`.
 *
 * Targets (means of the catalogue in DESIGN §9): stars 3.9995, reviews 180.75, price 43.375, list price 12.449, bought
 * last month 141.98. Stars: 9.5 % none, else normal around 4.42 cut at 5. Reviews: 81 % none, else log-normal (median
 * 216, sigma 1.72). Price: 2.3 % none, else log-normal; `categoryPriceLog` shifts the category, so that the mixture has
 * median ≈ 20. List price: on 18 %, above the price. Bought: 62 % none, else a heavy tail put on the steps.
 */
export function drawFigures(random: SeededRandom, categoryPriceLog: number, into: ProductFigures): void {
  into.stars = random.next() < 0.0945 ? 0 : drawStars(random)
  const reviewed = random.next() < 0.19
  into.reviews = reviewed ? Math.min(REVIEWS_MAX, Math.round(Math.exp(5.375 + 1.72 * random.normal()))) : 0
  into.price = random.next() < 0.023 ? 0 : drawPrice(random, categoryPriceLog)
  into.listPrice = into.price > 0 && random.next() < 0.186 ? toListPrice(into.price, random) : 0
  into.boughtInLastMonth = random.next() < 0.62 ? 0 : drawBought(random, reviewed)
  into.isBestSeller = random.next() < (into.boughtInLastMonth >= 1000 ? 0.06 : 0.004)
}

/** Spread of the logarithm of price within a category, and between categories. */
const PRICE_LOG_WITHIN = 1.02
export const PRICE_LOG_BETWEEN = 0.72

function drawStars(random: SeededRandom): number {
  const stars = Math.round((4.425 + 0.36 * random.normal()) * 10) / 10
  return Math.min(5, Math.max(1, stars))
}

function drawPrice(random: SeededRandom, categoryPriceLog: number): number {
  const price = Math.exp(categoryPriceLog + PRICE_LOG_WITHIN * random.normal())
  const ending = random.next()
  const rounded = ending < 0.7 ? Math.floor(price) + 0.99 : ending < 0.8 ? Math.floor(price) + 0.95 : price
  return Math.min(PRICE_MAX, Math.max(0.5, Math.round(rounded * 100) / 100))
}

function toListPrice(price: number, random: SeededRandom): number {
  return Math.min(
    PRICE_MAX,
    Math.round(price * (1.08 + 0.95 * random.next() * random.next() + 0.2) * 100) / 100,
  )
}

function drawBought(random: SeededRandom, reviewed: boolean): number {
  const amount = Math.exp((reviewed ? 5.6 : 4.75) + 1.5 * random.normal())
  let step = BOUGHT_STEPS[0]!
  for (const candidate of BOUGHT_STEPS) {
    if (candidate > amount) break
    step = candidate
  }
  return step
}
