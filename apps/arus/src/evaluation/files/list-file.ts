import type { Interactions, Split } from '@arus/recommenders'
import { textLines } from './text-records.ts'

/** Interactions by the ids of their file; times are 0 where it has none. */
export class Pairs {
  readonly users: string[] = []
  readonly items: string[] = []
  readonly weights: number[] = []
  readonly timesMs: number[] = []

  add(user: string, item: string, { weight = 1, timeMs = 0 } = {}): void {
    this.users.push(user)
    this.items.push(item)
    this.weights.push(weight)
    this.timesMs.push(timeMs)
  }
}

/** LightGCN-style lines, `user item item …`, plain or gzip; a user may have several lines, or none. Throws `FILE_UNREADABLE`. */
export async function readLists(file: string): Promise<Pairs> {
  const pairs = new Pairs()
  for await (const words of wordsOf(file)) {
    const [user = '', ...items] = words
    for (const item of items) pairs.add(user, item)
  }
  return pairs
}

/** The words of each line, without lines that have none. */
export async function* wordsOf(file: string, separator: string | RegExp = /\s+/): AsyncGenerator<string[]> {
  for await (const line of textLines(file)) if (line.trim() !== '') yield line.trim().split(separator)
}

/** Numbers users and items, whatever their ids are, in the order in which they first come. */
export function splitOf(train: Pairs, test: Pairs): Split {
  const users = new Numbers()
  const items = new Numbers()
  const parts = [train, test].map((pairs) => ({
    users: Uint32Array.from(pairs.users, (id) => users.of(id)),
    items: Uint32Array.from(pairs.items, (id) => items.of(id)),
    weights: Float32Array.from(pairs.weights),
    timesMs: Float64Array.from(pairs.timesMs),
  }))
  const size = { userCount: users.count, itemCount: items.count }
  return { train: { ...size, ...parts[0]! }, test: { ...size, ...parts[1]! } }
}

/** Interactions of a single file. */
export function interactionsOf(pairs: Pairs): Interactions {
  return splitOf(pairs, new Pairs()).train
}

class Numbers {
  readonly #numbers = new Map<string, number>()

  get count(): number {
    return this.#numbers.size
  }

  of(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    this.#numbers.set(id, this.#numbers.size)
    return this.#numbers.size - 1
  }
}
