import type { Interactions, UserItems } from '../src/index.ts'

/** Groups of `blocks`, and users and items of each. */
export const GROUPS = 2
export const SIZE = 12

/** Two groups of users, each with items of its own; user u has all items of the group but the one at their own place. */
export function blocks(): Interactions & { readonly withheld: readonly number[] } {
  const pairs: [number, number][] = []
  const withheld: number[] = []
  for (let user = 0; user < GROUPS * SIZE; user++) {
    const group = Math.floor(user / SIZE)
    for (let place = 0; place < SIZE; place++) {
      const item = group * SIZE + place
      if (place === user % SIZE) withheld.push(item)
      else pairs.push([user, item])
    }
  }
  return { ...from(pairs), userCount: GROUPS * SIZE, itemCount: GROUPS * SIZE, withheld }
}

/** Interactions from pairs, times and weights 0 and 1 where none are given. */
export function from(
  pairs: readonly (readonly [user: number, item: number, time?: number, weight?: number])[],
): Interactions {
  return {
    userCount: Math.max(0, ...pairs.map(([user]) => user + 1)),
    itemCount: Math.max(0, ...pairs.map(([, item]) => item + 1)),
    users: Uint32Array.from(pairs, ([user]) => user),
    items: Uint32Array.from(pairs, ([, item]) => item),
    weights: Float32Array.from(pairs, ([, , , weight]) => weight ?? 1),
    timesMs: Float64Array.from(pairs, ([, , time]) => time ?? 0),
  }
}

/** A user who has these items, newest first. */
export const user = (...items: number[]): UserItems => ({
  items: Uint32Array.from(items),
  weights: new Float32Array(items.length).fill(1),
})
