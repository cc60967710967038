import type { DataSize, SearchedChoice } from './choice.ts'
import type { WalkOptions } from './walk.ts'

export type Kind = SearchedChoice['kind']

/** Values an option may take; the search begins with the first. */
type Space = Readonly<Record<string, readonly (number | string)[]>>

const WALK: Space = {
  endExponent: [0.4, 0.2, 0.3, 0.5, 0.6],
  userExponent: [0.5, 0.2, 0.35, 0.7, 1],
  proximityExponent: [0, 0.3, 0.6, 1],
  startExponent: [0.5, 0.3, 0.7, 1],
  backwardWeight: [1, 0.5, 0.25],
}

const SPACES: Readonly<Record<Kind, Space>> = {
  popular: {},
  walk: WALK,
  'item-knn': { weighting: ['cosine', 'tf-idf', 'bm25'], shrinkage: [10, 0, 3, 30] },
  ease: { ridge: [100, 10, 30, 300, 1_000] },
  slim: { l1: [0.1, 0.03, 0.3, 1], l2: [100, 30, 10, 300] },
  als: {
    ridge: [0.001, 0.003, 0.01, 0.03],
    unobservedWeight: [0.05, 0.1, 0.02, 0.3, 1],
    factorCount: [64, 32, 128],
  },
  'low-pass': { filterWeight: [0.5, 0.25, 1, 2], rank: [256, 64, 128, 512], filterExponent: [0.5, 0.4, 0.3] },
}

/** Floats of item vectors at most (128 MB): large catalogues get fewer of them. */
const VECTOR_FLOATS_MAX = 32_000_000
const RANK_MIN = 16
/** The filter lets pass one frequency of so many at most: one that lets all pass filters nothing. */
const FREQUENCIES_PER_RANK = 8

/** How many options of a kind are searched. */
export function dimensionsOf(kind: Kind): number {
  return Object.keys(SPACES[kind]).length
}

/** The options a search begins with. `walk` are the best of the walk so far. */
export function firstOf(kind: Kind, size: DataSize, walk: WalkOptions): SearchedChoice {
  const options: Record<string, unknown> = Object.fromEntries(
    Object.entries(SPACES[kind]).map(([name, [first]]) => [name, first]),
  )
  return limited(kind, kind === 'low-pass' ? { ...options, walk } : options, size)
}

/** The same kind with one option changed, two now and then. */
export function neighbourOf(choice: SearchedChoice, size: DataSize, random: () => number): SearchedChoice {
  const { walk, ...options } = choice.options as Record<string, unknown> & { readonly walk?: WalkOptions }
  const isOfWalk = choice.kind === 'low-pass' && random() < 0.3
  if (isOfWalk) return limited(choice.kind, { ...options, walk: changed({ ...walk }, WALK, random) }, size)
  const next = changed(options, SPACES[choice.kind], random)
  return limited(choice.kind, walk === undefined ? next : { ...next, walk }, size)
}

function changed(options: Record<string, unknown>, space: Space, random: () => number) {
  const names = Object.keys(space)
  const next = { ...options }
  for (let change = random() < 0.7 ? 1 : 2; change > 0; change--) {
    const name = names[Math.floor(random() * names.length)]!
    next[name] = space[name]![Math.floor(random() * space[name]!.length)]
  }
  return next
}

function limited(kind: Kind, options: Record<string, unknown>, size: DataSize): SearchedChoice {
  const most = Math.min(
    VECTOR_FLOATS_MAX / Math.max(1, size.itemCount),
    Math.min(size.userCount, size.itemCount) / FREQUENCIES_PER_RANK,
  )
  const limit = (value: unknown) => Math.max(RANK_MIN, Math.min(Number(value), Math.floor(most)))
  if (kind === 'low-pass') return { kind, options: { ...options, rank: limit(options.rank) } }
  if (kind === 'als') return { kind, options: { ...options, factorCount: limit(options.factorCount) } }
  return { kind, options } as SearchedChoice
}
