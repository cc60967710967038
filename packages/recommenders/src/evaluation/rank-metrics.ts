/**
 * Of one ranking: recall = hits / wanted; nDCG with binary gains, discount 1 / log2(rank + 1) and the ideal cut at k (Järvelin and
 * Kekäläinen, TOIS 2002); average precision over min(wanted, k); reciprocal rank of the first hit. All 0 to 1, 0 where nothing is wanted.
 */
export function rankMetrics(
  ranked: Uint32Array,
  wanted: ReadonlySet<number>,
  k: number,
): { readonly recall: number; readonly ndcg: number; readonly map: number; readonly mrr: number } {
  let hits = 0
  let precisions = 0
  let gain = 0
  let first = 0
  for (let rank = 0; rank < Math.min(k, ranked.length); rank++) {
    if (!wanted.has(ranked[rank]!)) continue
    hits += 1
    precisions += hits / (rank + 1)
    gain += 1 / Math.log2(rank + 2)
    if (first === 0) first = 1 / (rank + 1)
  }
  let ideal = 0
  for (let rank = 0; rank < Math.min(k, wanted.size); rank++) ideal += 1 / Math.log2(rank + 2)
  return {
    recall: wanted.size === 0 ? 0 : hits / wanted.size,
    ndcg: ideal === 0 ? 0 : gain / ideal,
    map: wanted.size === 0 ? 0 : precisions / Math.min(k, wanted.size),
    mrr: first,
  }
}
