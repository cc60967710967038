import { NeighbourRows } from './co-occurrence.ts'
import { RecommenderError } from './errors.ts'
import type { FitSignal } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { transpose, userItemMatrix } from './sparse-matrix.ts'
import { TopK } from './top-k.ts'

/** Features of items (words of the title, category, price band) by hashed id, as parallel arrays. */
export interface ItemFeatures {
  readonly itemCount: number
  readonly featureCount: number
  readonly items: Uint32Array
  readonly features: Uint32Array
}

export interface ContentOptions {
  readonly neighbourCount?: number
  /** Features of more items than this say little and are passed over, which bounds the cost. Default 2,000. */
  readonly commonFrom?: number
}

/**
 * Items alike in what they are: cosine of TF-IDF vectors (Salton and Buckley, "Term-weighting approaches in automatic
 * text retrieval", 1988), with idf = ln(1 + n / df) and tf = 1 + ln(count). Needs no interactions, so it serves items
 * nobody has touched.
 */
export function fitContent(
  input: ItemFeatures,
  options: ContentOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const { neighbourCount = 50, commonFrom = 2_000 } = options
  assertOptions({ neighbourCount, commonFrom }, { neighbourCount: 'count', commonFrom: 'not negative' })
  const { itemCount, featureCount, items, features } = input
  if (items.length !== features.length)
    throw new RecommenderError(
      'MODEL_INPUT_INVALID',
      `items and features must have one length, found ${items.length} and ${features.length}`,
    )
  const matrix = userItemMatrix({
    userCount: itemCount,
    itemCount: featureCount,
    users: items,
    items: features,
    weights: new Float32Array(items.length).fill(1),
    timesMs: new Float64Array(items.length),
  })
  const byFeature = transpose(matrix)
  const norms = new Float32Array(itemCount)
  const idf = Float32Array.from({ length: featureCount }, (_, f) =>
    Math.log(1 + itemCount / Math.max(1, byFeature.starts[f + 1]! - byFeature.starts[f]!)),
  )
  for (let item = 0; item < itemCount; item++) {
    let sum = 0
    for (let n = matrix.starts[item]!; n < matrix.starts[item + 1]!; n++) {
      matrix.values[n] = (1 + Math.log(matrix.values[n]!)) * idf[matrix.columns[n]!]!
      sum += matrix.values[n]! ** 2
    }
    norms[item] = Math.sqrt(sum) || 1
  }
  const weighted = transpose(matrix)
  const rows = new NeighbourRows(itemCount)
  const scores = new Float32Array(itemCount)
  for (let item = 0; item < itemCount; item++) {
    if (item % 512 === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(item / itemCount)
    }
    const touched: number[] = []
    for (let n = matrix.starts[item]!; n < matrix.starts[item + 1]!; n++) {
      const feature = matrix.columns[n]!
      const [from, to] = [weighted.starts[feature]!, weighted.starts[feature + 1]!]
      if (to - from > commonFrom) continue
      for (let at = from; at < to; at++) {
        const other = weighted.columns[at]!
        if (scores[other] === 0) touched.push(other)
        scores[other]! += matrix.values[n]! * weighted.values[at]!
      }
    }
    const top = new TopK(Math.min(neighbourCount, touched.length))
    for (const other of touched) {
      if (other !== item) top.offer(other, scores[other]! / (norms[item]! * norms[other]!))
      scores[other] = 0
    }
    rows.add(top.result())
  }
  return new NeighbourModel('content', rows.matrix(), { neighbourCount })
}
