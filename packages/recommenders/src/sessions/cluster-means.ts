import type { UnitScores } from '../evaluation/compare.ts'

/** Means of values that come in clusters, with the sandwich estimate of their error (Liang and Zeger, Biometrika 1986). */
export class ClusterMeans {
  /** Sums of each value by cluster. */
  readonly #clusterSums: readonly Float64Array[]
  readonly #sizes: Float64Array
  #cluster = 0

  constructor(width: number, clusterCount: number) {
    this.#clusterSums = Array.from({ length: width }, () => new Float64Array(clusterCount))
    this.#sizes = new Float64Array(clusterCount)
  }

  add(values: Float64Array): void {
    for (let n = 0; n < values.length; n++) this.#clusterSums[n]![this.#cluster]! += values[n]!
    this.#sizes[this.#cluster]! += 1
  }

  endCluster(): void {
    this.#cluster += 1
  }

  clusters(): UnitScores[] {
    return this.#clusterSums.map((values) => ({ values, sizes: this.#sizes }))
  }

  means(): Float64Array {
    const count = sumOf(this.#sizes)
    return Float64Array.from(this.#clusterSums, (sums) => (count === 0 ? 0 : sumOf(sums) / count))
  }

  halfWidths(): Float64Array {
    // Σ over clusters (sum − mean · size)², over the square of the count.
    const count = sumOf(this.#sizes)
    return this.means().map((mean, n) => {
      const spread = this.#clusterSums[n]!.reduce(
        (total, sum, cluster) => total + (sum - mean * this.#sizes[cluster]!) ** 2,
        0,
      )
      return count === 0 ? 0 : (1.96 * Math.sqrt(spread)) / count
    })
  }
}

function sumOf(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
