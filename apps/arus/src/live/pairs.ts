import { addDecayed, type DecayedCount, decayedAt, NO_COUNT } from './decayed-count.ts'
import type { PairedProduct } from './live-state.ts'

/** Products kept as those that go with one; grown past it by half, the weakest leave. */
const PARTNERS_MAX = 20
const SLACK = 1.5
/** Products before this one that it is counted with: each one more is one more state to write with every event. */
const RECENT_MAX = 3
const HALF_LIFE_MS = 7 * 86_400_000

/**
 * Products that shoppers of one partition did something with in the same stretch as with one product: id and decayed count
 * of each, one after the other. Changed in place, for every event changes several.
 */
export interface PairState {
  readonly partners: (string | number)[]
}

const WIDTH = 4

/** A state of its own: the same, or an empty one. */
export function copyOfPairs(state: PairState | undefined): PairState {
  return { partners: state === undefined ? [] : [...state.partners] }
}

/** Something a shopper did lately with a product: the strongest of it. */
export type RecentProduct = readonly [productId: string, atMs: number, weight: number]

/** A pair that an event adds to, in both directions. */
export interface PairIncrement {
  readonly partner: string
  readonly weight: number
}

/** Products that the next one of a shopper is counted with, the newest first, at most three. */
export function withRecent(
  recent: readonly RecentProduct[],
  [productId, atMs, weight]: RecentProduct,
  windowMs: number,
): readonly RecentProduct[] {
  const known = recent.find(([other]) => other === productId)
  const [, knownMs, knownWeight] = known ?? [productId, atMs, weight]
  const isSameStretch = Math.abs(atMs - knownMs) <= windowMs
  const strongest = isSameStretch ? Math.max(knownWeight, weight) : weight
  return [
    [productId, Math.max(knownMs, atMs), strongest] as const,
    ...recent.filter((other) => other !== known),
  ].slice(0, RECENT_MAX)
}

/**
 * What an interaction adds to pairs: with each product of the same stretch the weaker of the two weights (viewed
 * together 1, bought together 6), less what the pair already had of this shopper.
 */
export function pairIncrements(
  recent: readonly RecentProduct[],
  [productId, atMs, weight]: RecentProduct,
  windowMs: number,
): PairIncrement[] {
  const within = recent.filter(([, otherMs]) => Math.abs(atMs - otherMs) <= windowMs)
  const before = within.find(([other]) => other === productId)?.[2] ?? 0
  return within
    .filter(([other]) => other !== productId)
    .map(([partner, , other]) => ({ partner, weight: Math.min(weight, other) - Math.min(before, other) }))
    .filter((pair) => pair.weight > 0)
}

/** Adds an increment to the state, which decays by half each week. */
export function addPair(
  state: PairState,
  { partner, weight, atMs }: PairIncrement & { readonly atMs: number },
): void {
  const { partners } = state
  let at = 0
  while (at < partners.length && partners[at] !== partner) at += WIDTH
  const known = at < partners.length ? countAt(partners, at) : NO_COUNT
  const count = addDecayed(known, { tsMs: atMs, weight, halfLifeMs: HALF_LIFE_MS })
  partners[at] = partner
  for (let i = 0; i < count.length; i++) partners[at + 1 + i] = count[i]!
  if (partners.length > WIDTH * PARTNERS_MAX * SLACK) keepStrongest(partners, atMs)
}

/** Partners of all partitions together, the strongest first. */
export function partnersOf(states: readonly PairState[], nowMs: number, limit: number): PairedProduct[] {
  const weights = new Map<string, number>()
  for (const { partners } of states) {
    for (const [partner, left] of weightsOf(partners, nowMs))
      weights.set(partner, (weights.get(partner) ?? 0) + left)
  }
  return [...weights]
    .map(([product_id, score]) => ({ product_id, score }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.product_id < b.product_id ? -1 : 1))
    .slice(0, limit)
}

function countAt(partners: PairState['partners'], at: number): DecayedCount {
  return [Number(partners[at + 1]), Number(partners[at + 2]), Number(partners[at + 3])]
}

function weightsOf(partners: PairState['partners'], nowMs: number) {
  const weights: [partner: string, left: number, at: number][] = []
  for (let at = 0; at < partners.length; at += WIDTH)
    weights.push([String(partners[at]), decayedAt(countAt(partners, at), nowMs, HALF_LIFE_MS), at])
  return weights
}

function keepStrongest(partners: PairState['partners'], nowMs: number): void {
  const strongest = weightsOf(partners, nowMs)
    .sort(([, a], [, b]) => b - a)
    .slice(0, PARTNERS_MAX)
  const kept = strongest.flatMap(([, , at]) => partners.slice(at, at + WIDTH))
  partners.splice(0, partners.length, ...kept)
}
