import fc from 'fast-check'
import { v7 } from 'uuid'
import { expect, test } from 'vitest'
import { CompiledRules } from '../../rules/compiled-rules.ts'
import { ruleOf } from '../../rules/test-rules.ts'
import { productNamed } from '../test-shop.ts'
import { CategoryCaps } from './category-caps.ts'
import { explorePlaces } from './explore-places.ts'
import type { RankedCandidate } from './ranked-candidate.ts'

const candidate = (product_id: string, category_id = 1): RankedCandidate => ({
  product_id,
  score: 1,
  product: productNamed(product_id, { category_id, category: `c${category_id}` }),
  kind: 'popular',
  because_of: null,
  fallback: 'popular',
})

const EXPLORE = { ...ruleOf({ kind: 'explore', probability: 0 }), kind: 'explore', pool: 20 } as const
const CAP = { ...ruleOf({ kind: 'cap', per_category: 1 }), kind: 'cap' } as const

function explored(options: {
  readonly base: readonly RankedCandidate[]
  readonly pool: readonly RankedCandidate[]
  readonly probability: number
  readonly seed: string
  readonly fixed?: number
  readonly perCategory?: number
}) {
  const { base, pool, probability, seed, fixed, perCategory = 100 } = options
  const rules = new CompiledRules(
    [
      { ...EXPLORE, probability },
      { ...CAP, per_category: perCategory },
    ],
    0,
  )
  const caps = new CategoryCaps(rules)
  for (const { product } of base) caps.add(product)
  const places = base.map((one, i) => ({ candidate: one, isFixed: i === fixed }))
  return explorePlaces(places, pool, { rule: rules.explore!, caps, seed })
}

const BASE = ['a', 'b', 'c'].map((id) => candidate(id))
const POOL = ['p', 'q', 'r', 's'].map((id) => candidate(id))

test('over many seeds, places are drawn as often as is stated, each of the pool as often as the others', () => {
  const rounds = 20_000
  const probability = 0.2
  const drawnAt = [0, 0, 0]
  const firstDrawn = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    const { candidates } = explored({ base: BASE, pool: POOL, probability, seed: v7() })
    for (const [place, { product_id }] of candidates.entries()) {
      if (product_id === BASE[place]?.product_id) continue
      drawnAt[place] = (drawnAt[place] ?? 0) + 1
      if (place === 0) firstDrawn.set(product_id, (firstDrawn.get(product_id) ?? 0) + 1)
    }
  }
  // Six standard deviations of a binomial: by chance once in 500 million.
  const within = (count: number, of: number, p: number) => {
    expect(Math.abs(count - of * p)).toBeLessThan(6 * Math.sqrt(of * p * (1 - p)))
  }
  for (const count of drawnAt) within(count, rounds, probability)
  for (const { product_id } of POOL) {
    within(firstDrawn.get(product_id) ?? 0, rounds, probability / POOL.length)
  }
})

test('two places are drawn independently of each other', () => {
  const rounds = 20_000
  let both = 0
  for (let round = 0; round < rounds; round++) {
    const { candidates } = explored({ base: BASE, pool: POOL, probability: 0.3, seed: v7() })
    if (candidates[0]?.product_id !== 'a' && candidates[1]?.product_id !== 'b') both += 1
  }
  expect(Math.abs(both / rounds - 0.09)).toBeLessThan(6 * Math.sqrt((0.09 * 0.91) / rounds))
})

const casesArbitrary = fc.record({
  base: fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
  pool: fc.array(fc.nat(3), { maxLength: 8 }),
  probability: fc.double({ min: 0, max: 1, noNaN: true }),
  perCategory: fc.integer({ min: 2, max: 4 }),
  seed: fc.uuid(),
  fixed: fc.option(fc.nat(5), { nil: undefined }),
})

test('the propensities of all that could stand at a place, given those above, sum to one', () => {
  fc.assert(
    fc.property(casesArbitrary, ({ base, pool, fixed, ...rest }) => {
      const places = base.map((category, i) => candidate(`b${i}`, category))
      const left = pool.map((category, i) => candidate(`p${i}`, category))
      const { candidates, exploration } = explored({
        base: places,
        pool: left,
        ...rest,
        ...(fixed === undefined ? {} : { fixed }),
      })
      for (const [place, { product_id }] of candidates.entries()) {
        const propensity = exploration.propensities[place] ?? Number.NaN
        if (place === fixed) {
          expect([product_id, propensity]).toEqual([`b${place}`, 1])
          continue
        }
        // The caps count what stands above and what the ranking has below.
        const others = [...candidates.slice(0, place), ...places.slice(place + 1)]
        const possible = left.filter(
          (one) =>
            !others.includes(one) &&
            others.filter(({ product }) => product?.category_id === one.product?.category_id).length <
              rest.perCategory,
        )
        const isDrawn = product_id !== `b${place}`
        const drawnMass = possible.length === 0 ? 0 : rest.probability
        const expected = isDrawn ? rest.probability / possible.length : 1 - drawnMass
        expect(propensity).toBeCloseTo(expected, 12)
        // What stays, and each that could be drawn: one.
        expect(1 - drawnMass + possible.length * (drawnMass / Math.max(1, possible.length))).toBeCloseTo(
          1,
          12,
        )
        if (isDrawn) expect(possible.map((one) => one.product_id)).toContain(product_id)
      }
      expect(new Set(candidates.map((one) => one.product_id)).size).toBe(candidates.length)
    }),
  )
})

test('the same seed draws the same; 0 never, 1 always while there is somebody to draw', () => {
  const seed = v7()
  const options = { base: BASE, pool: POOL, probability: 0.5, seed }
  expect(explored(options)).toEqual(explored(options))
  expect(explored({ ...options, probability: 0 }).drawn).toEqual([])
  expect(explored({ ...options, probability: 1 }).drawn).toHaveLength(3)
  const { drawn, exploration } = explored({ ...options, pool: POOL.slice(0, 1), probability: 1 })
  expect(drawn).toEqual(['p'])
  expect(exploration).toEqual({ probability: 1, poolSize: 1, propensities: [1, 1, 1] })
})
