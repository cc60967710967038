import type { Model, RecommendOptions, ScoredItems, UserItems } from '../model.ts'
import type { FileParts, ModelFile } from '../model-file.ts'
import { NeighbourModel } from '../neighbour-model.ts'
import type { SparseMatrix } from '../sparse-matrix.ts'
import { filterOf } from '../top-k.ts'

/** Which of the session's events count, and how much. */
export interface SessionHistory {
  /** Newest events that count. */
  readonly historyCount: number
  /** γ: the event at place p from the end, from 1, weighs p^−γ. */
  readonly historyExponent: number
}

/** An item × item matrix applied to the newest events of a session, the newer the heavier: `sequential-rules`, `session-item-knn`. */
export class SessionPairsModel implements Model {
  readonly #pairs: NeighbourModel
  readonly #history: SessionHistory

  private constructor(pairs: NeighbourModel, history: SessionHistory) {
    this.#pairs = pairs
    this.#history = history
  }

  static of(kind: string, pairs: SparseMatrix, params: Readonly<Record<string, number>> & SessionHistory) {
    return new SessionPairsModel(new NeighbourModel(kind, pairs, params), params)
  }

  static load(file: ModelFile): SessionPairsModel {
    return new SessionPairsModel(NeighbourModel.load(file), file.meta as unknown as SessionHistory)
  }

  get kind(): string {
    return this.#pairs.kind
  }

  get itemCount(): number {
    return this.#pairs.itemCount
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    return this.#pairs.recommend(this.#recent(user), { k, filter: filterOf(user.items, filter) })
  }

  similar(item: number, options: RecommendOptions): ScoredItems {
    return this.#pairs.similar(item, options)
  }

  explain(user: UserItems, item: number): Float32Array {
    const parts = new Float32Array(user.items.length)
    parts.set(this.#pairs.explain(this.#recent(user), item))
    return parts
  }

  reasons(user: UserItems, items: Uint32Array): Int32Array {
    return this.#pairs.reasons(this.#recent(user), items)
  }

  file(): FileParts {
    return this.#pairs.file()
  }

  #recent({ items, weights }: UserItems): UserItems {
    const { historyCount, historyExponent } = this.#history
    return {
      items: items.subarray(0, historyCount),
      weights: weights
        .subarray(0, historyCount)
        .map((weight, place) => weight * (place + 1) ** -historyExponent),
    }
  }
}
