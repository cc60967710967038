import type { ItemGroups } from './item-groups.ts'

/** 0 for items that are the same, 1 for items that have nothing in common; NaN where it is not known. Symmetric. */
export type ItemDistance = (a: number, b: number) => number

/**
 * Mean distance of all pairs of a list, each pair once: intra-list diversity (Ziegler et al., WWW 2005, who add up similarities; as a mean of
 * distances: Castells et al., Recommender Systems Handbook 2015). NaN where no pair is known.
 */
export function intraListDiversity(items: Uint32Array, distance: ItemDistance): number {
  let sum = 0
  let count = 0
  for (let a = 1; a < items.length; a++) {
    for (let b = 0; b < a; b++) {
      const one = distance(items[a]!, items[b]!)
      if (Number.isNaN(one)) continue
      sum += one
      count += 1
    }
  }
  return count === 0 ? Number.NaN : sum / count
}

/** 0 within a group, 1 across: the diversity of a list is then the chance that two of its items are of different groups. */
export function groupDistance({ groups }: ItemGroups): ItemDistance {
  return (a, b) => {
    if (groups[a]! < 0 || groups[b]! < 0) return Number.NaN
    return groups[a] === groups[b] ? 0 : 1
  }
}

/** 1 − cosine of item vectors, row by row in `vectors`, cut at 1; NaN where one is zero. */
export function cosineDistance(vectors: Float32Array, dimension: number): ItemDistance {
  const norms = Float64Array.from({ length: Math.floor(vectors.length / dimension) }, (_, item) =>
    Math.sqrt(dot(vectors, item, item, dimension)),
  )
  return (a, b) => {
    const norm = norms[a]! * norms[b]!
    return norm === 0 ? Number.NaN : Math.min(1, 1 - dot(vectors, a, b, dimension) / norm)
  }
}

function dot(vectors: Float32Array, a: number, b: number, dimension: number): number {
  let sum = 0
  for (let n = 0; n < dimension; n++) sum += vectors[a * dimension + n]! * vectors[b * dimension + n]!
  return sum
}
