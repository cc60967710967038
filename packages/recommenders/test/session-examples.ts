import type { SessionEvents } from '../src/index.ts'

/** Sessions written as lists of items, oldest first; session n ends at day n, its events a minute apart. */
export function sessionsOf(
  lists: readonly (readonly number[])[],
  itemCount: number = 1 + Math.max(-1, ...lists.flat()),
): SessionEvents {
  const events = lists.flatMap((items, session) =>
    items.map((item, place) => ({
      session,
      item,
      timeMs: session * DAY_MS - (items.length - 1 - place) * 60_000,
    })),
  )
  return {
    sessionCount: lists.length,
    itemCount,
    sessions: Uint32Array.from(events, ({ session }) => session),
    items: Uint32Array.from(events, ({ item }) => item),
    timesMs: Float64Array.from(events, ({ timeMs }) => timeMs),
  }
}

export const DAY_MS = 86_400_000

/** A session as models take it, written oldest first. */
export function visitor(...items: number[]) {
  return { items: Uint32Array.from(items).reverse(), weights: new Float32Array(items.length).fill(1) }
}

/** Item → score of an answer. */
export function scoresOf(answer: { readonly items: Uint32Array; readonly scores: Float32Array }) {
  return Object.fromEntries(Array.from(answer.items, (item, n) => [item, answer.scores[n]!]))
}
