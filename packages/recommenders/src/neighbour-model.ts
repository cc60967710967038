import { NeighbourRows } from './co-occurrence.ts'
import { doesCount } from './confidence.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type FileParts, type ModelFile, modelFile } from './model-file.ts'
import { NeighbourScores } from './neighbour-scores.ts'
import type { SparseMatrix } from './sparse-matrix.ts'
import { filterOf, TopK } from './top-k.ts'

/** An item–item matrix: the score of an item is the sum over the user's items of weight × similarity. */
export class NeighbourModel implements Model {
  readonly kind: string
  readonly #neighbours: SparseMatrix
  readonly #params: Readonly<Record<string, number>>
  readonly #sums: NeighbourScores

  constructor(kind: string, neighbours: SparseMatrix, params: Readonly<Record<string, number>>) {
    this.kind = kind
    this.#neighbours = neighbours
    this.#params = params
    this.#sums = new NeighbourScores(neighbours)
  }

  static load(file: ModelFile): NeighbourModel {
    const starts = file.u32('starts')
    const itemCount = starts.length - 1
    const neighbours = {
      rowCount: itemCount,
      columnCount: itemCount,
      starts,
      columns: file.u32('columns'),
      values: file.f32('values'),
    }
    return new NeighbourModel(file.kind, neighbours, file.meta as Record<string, number>)
  }

  get itemCount(): number {
    return this.#neighbours.rowCount
  }

  /** The matrix, one row an item. */
  get neighbours(): SparseMatrix {
    return this.#neighbours
  }

  /** With the `rowLength` best of each row, which is in order of its scores. */
  truncated(rowLength: number): NeighbourModel {
    const { starts, columns, values } = this.#neighbours
    const rows = new NeighbourRows(this.itemCount)
    for (let item = 0; item < this.itemCount; item++) {
      const end = Math.min(starts[item]! + rowLength, starts[item + 1]!)
      rows.add({ items: columns.subarray(starts[item], end), scores: values.subarray(starts[item], end) })
    }
    return new NeighbourModel(this.kind, rows.matrix(), { ...this.#params, rowLength })
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const count = this.#sums.add(user)
    const best = this.#sums.best(count, k, filterOf(user.items, filter))
    this.#sums.clear(count)
    return best
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    const { starts, columns, values } = this.#neighbours
    const top = new TopK(Math.min(k, this.itemCount))
    for (let at = starts[item] ?? 0; at < (starts[item + 1] ?? 0); at++) {
      const other = columns[at]!
      if (other !== item && values[at]! > 0 && filter(other)) top.offer(other, values[at]!)
    }
    return top.result()
  }

  explain(user: UserItems, item: number): Float32Array {
    const { starts, columns, values } = this.#neighbours
    return Float32Array.from(user.items, (own, n) => {
      if (own >= this.itemCount || !doesCount(user.weights[n]!)) return 0
      for (let at = starts[own]!; at < starts[own + 1]!; at++)
        if (columns[at] === item) return user.weights[n]! * values[at]!
      return 0
    })
  }

  /** One pass over the neighbours of the user's items, whatever the number of answers. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const { starts, columns, values } = this.#neighbours
    const best = new Int32Array(items.length).fill(-1)
    const most = new Float32Array(items.length)
    const asked = items.filter((item) => item < this.itemCount)
    // Where an item stands in `items`, from 1.
    const places = this.#sums.scores
    for (const [place, item] of items.entries()) if (item < this.itemCount) places[item] = place + 1
    for (let own = 0; own < user.items.length; own++) {
      const item = user.items[own]!
      const weight = user.weights[own]!
      if (item >= this.itemCount || !doesCount(weight)) continue
      for (let at = starts[item]!; at < starts[item + 1]!; at++) {
        const place = places[columns[at]!]! - 1
        if (place < 0) continue
        const part = weight * values[at]!
        if (part <= most[place]!) continue
        most[place] = part
        best[place] = own
      }
    }
    for (const item of asked) places[item] = 0
    return best
  }

  file(): FileParts {
    const { starts, columns, values } = this.#neighbours
    return modelFile(this.kind, this.#params, { starts, columns, values })
  }
}
