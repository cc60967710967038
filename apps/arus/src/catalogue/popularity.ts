/** Reviews the prior is worth: a product needs about this many before its own rating counts for half. */
const PRIOR_REVIEWS = 50

/**
 * SQL of a product's popularity: a Bayesian mean rating times how much is known of it,
 *
 *     (m · C + stars · reviews) / (C + reviews) × ln(1 + reviews + bought_in_last_month)
 *
 * with C = `PRIOR_REVIEWS` and m = `meanStars`, the mean rating of the products that have one. A product without reviews
 * and purchases scores 0. The mean is the one of the IMDb top list ("weighted rating"); the logarithm keeps one huge count
 * from outweighing quality.
 */
export function popularitySql(meanStars: number): string {
  return `(${meanStars * PRIOR_REVIEWS} + coalesce(stars, 0) * reviews) / (${PRIOR_REVIEWS} + reviews)
    * ln(1 + reviews + bought_in_last_month)`
}
