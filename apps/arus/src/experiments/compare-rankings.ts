/** Share of the longer ranking's products that the other holds too, 0 to 1; 1 where both are empty. */
export function overlap(one: readonly string[], other: readonly string[]): number {
  const longest = Math.max(one.length, other.length)
  if (longest === 0) return 1
  const known = new Set(one)
  return other.filter((product) => known.has(product)).length / longest
}

/**
 * How much two rankings agree: 1 for the same products in the same order, 0 for none in common; 1 where both are empty. It is 1 less
 * the footrule distance over its largest value, a product that a ranking lacks standing at the place after the longer one's last:
 * F^(k+1) of Fagin, Kumar, Sivakumar, "Comparing top k lists" (SIAM Journal on Discrete Mathematics 17(1), 2003, §3.1).
 */
export function rankAgreement(one: readonly string[], other: readonly string[]): number {
  const missing = Math.max(one.length, other.length)
  if (missing === 0) return 1
  const places = new Map(other.map((product, place) => [product, place]))
  let distance = 0
  let inCommon = 0
  for (const [place, product] of one.entries()) {
    const otherPlace = places.get(product)
    distance += Math.abs(place - (otherPlace ?? missing))
    if (otherPlace !== undefined) inCommon += missing - otherPlace
  }
  const furthest = (length: number) => (length * (2 * missing - length + 1)) / 2
  distance += furthest(other.length) - inCommon
  return 1 - distance / (furthest(one.length) + furthest(other.length))
}
