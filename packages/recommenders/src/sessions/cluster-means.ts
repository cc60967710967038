/** Means of values that come in clusters, with the sandwich estimate of their error (Liang and Zeger, Biometrika 1986). */
export class ClusterMeans {
  readonly #sums: Float64Array
  readonly #clusterSums: Float64Array
  readonly #squares: Float64Array
  /** Σ over clusters of sum × size, and of size². */
  readonly #products: Float64Array
  #sizeSquares = 0
  #size = 0
  #count = 0

  constructor(width: number) {
    this.#sums = new Float64Array(width)
    this.#clusterSums = new Float64Array(width)
    this.#squares = new Float64Array(width)
    this.#products = new Float64Array(width)
  }

  add(values: Float64Array): void {
    for (let n = 0; n < values.length; n++) this.#clusterSums[n]! += values[n]!
    this.#size += 1
  }

  endCluster(): void {
    for (let n = 0; n < this.#sums.length; n++) {
      const sum = this.#clusterSums[n]!
      this.#sums[n]! += sum
      this.#squares[n]! += sum * sum
      this.#products[n]! += sum * this.#size
    }
    this.#clusterSums.fill(0)
    this.#sizeSquares += this.#size * this.#size
    this.#count += this.#size
    this.#size = 0
  }

  means(): Float64Array {
    return this.#sums.map((sum) => (this.#count === 0 ? 0 : sum / this.#count))
  }

  halfWidths(): Float64Array {
    // Σ over clusters (sum − mean · size)², over the square of the count.
    return this.means().map((mean, n) => {
      const spread = this.#squares[n]! - 2 * mean * this.#products[n]! + mean * mean * this.#sizeSquares
      return this.#count === 0 ? 0 : (1.96 * Math.sqrt(Math.max(0, spread))) / this.#count
    })
  }
}
