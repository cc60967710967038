import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Interactions, Split } from '../../packages/recommenders/src/index.ts'

/** Lines of a file, plain or gzip (told by its first bytes), without the empty ones. */
export function linesOf(file: string): string[] {
  const bytes = readFileSync(file)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  return (isGzip ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

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

/** LightGCN-style lines, `user item item …`; a user may have several lines, or none. */
export function readLists(file: string): Pairs {
  const pairs = new Pairs()
  for (const line of linesOf(file)) {
    const [user = '', ...items] = line.split(/\s+/)
    for (const item of items) pairs.add(user, item)
  }
  return pairs
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

/** Numbers ids in the order in which they first come. */
export class Numbers {
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
