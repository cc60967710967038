import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArusError } from '../errors.ts'
import { productNamed, ShopCatalogue } from '../recommend/test-shop.ts'
import { CompiledRules } from './compiled-rules.ts'
import { rulesInForce } from './in-force.ts'
import { faultsOfRule, newRule } from './new-rule.ts'
import type { Rule } from './rule.ts'
import { RulesByScenario } from './rules-by-scenario.ts'
import { ruleOf } from './test-rules.ts'

describe('a new rule', () => {
  test('has what was not said filled in, and nothing twice', () => {
    expect(
      newRule({ kind: 'exclude', name: ' Old stock ', products: ['a', 'a', 'b'], categories: [] }),
    ).toEqual({
      kind: 'exclude',
      name: 'Old stock',
      enabled: true,
      scenarios: [],
      starts_at: null,
      ends_at: null,
      products: ['a', 'b'],
    })
    expect(newRule({ kind: 'diversify', name: 'x', lambda: 0.5 })).toMatchObject({ window: 50 })
    expect(newRule({ kind: 'explore', name: 'x', probability: 0.1 })).toMatchObject({ pool: 20 })
    expect(
      newRule({ kind: 'pin', name: 'x', product_id: 'a', rank: 1, starts_at: '2026-01-02' }),
    ).toMatchObject({
      starts_at: Date.UTC(2026, 0, 2),
    })
  })

  test.each([
    [{ kind: 'raise', name: 'x' }, '/kind', /one of boost, bury/],
    [null, '/kind', /one of/],
    [{ kind: 'boost', name: 'x', products: ['a'] }, '', /required.*factor/],
    [{ kind: 'boost', name: 'x', products: ['a'], factor: 1 }, '/factor', /> 1/],
    [{ kind: 'boost', name: 'x', products: ['a'], factor: 2, brand: 'b' }, '', /additional/],
    [{ kind: 'boost', name: ' ', products: ['a'], factor: 2 }, '/name', /pattern/],
    [{ kind: 'boost', name: 'x', factor: 2 }, '', /which products/],
    [{ kind: 'exclude', name: 'x', products: [], categories: [] }, '', /which products/],
    [{ kind: 'exclude', name: 'x', min_price: 5, max_price: 2 }, '/min_price', /above/],
    [{ kind: 'exclude', name: 'x', products: Array(1_001).fill('a') }, '/products', /1000/],
    [{ kind: 'bury', name: 'x', products: ['a'], factor: 0 }, '/factor', />= 0.01/],
    [{ kind: 'pin', name: 'x', product_id: 'a', rank: 0 }, '/rank', />= 1/],
    [{ kind: 'cap', name: 'x', per_category: 1.5 }, '/per_category', /integer/],
    [{ kind: 'explore', name: 'x', probability: 1.1 }, '/probability', /<= 1/],
    [{ kind: 'cap', name: 'x', per_category: 1, scenarios: ['<b>'] }, '/scenarios/0', /pattern/],
    [{ kind: 'cap', name: 'x', per_category: 1, starts_at: 'soon' }, '/starts_at', /ISO 8601/],
    [{ kind: 'cap', name: 'x', per_category: 1, starts_at: 5, ends_at: 5 }, '/starts_at', /before/],
    [{ kind: 'cap', name: 'x', per_category: 1, starts_at: {} }, '/starts_at', /must be/],
  ])('is refused where it is wrong: %j', (body, pointer, reason) => {
    const fault = faultsOfRule(body).find((one) => one.pointer === pointer)
    expect(fault?.reason).toMatch(reason)
    expect(() => newRule(body)).toThrow(ArusError)
  })

  test('is the same when it is made from what it was kept as', () => {
    const rule = newRule({
      kind: 'boost',
      name: 'x',
      categories: ['Toys'],
      min_price: 2,
      factor: 3,
      ends_at: 9,
    })
    expect(newRule(rule)).toEqual(rule)
  })
})

describe('rules in force', () => {
  const cap = { kind: 'cap', per_category: 1 }

  test('from their beginning until just before their end, where they are switched on', () => {
    const rules = [ruleOf({ ...cap, starts_at: 10, ends_at: 20 }), ruleOf({ ...cap, enabled: false })]
    const count = (atMs: number) => rulesInForce(rules, 'home', atMs).length
    expect([9, 10, 19, 20].map(count)).toEqual([0, 1, 1, 0])
  })

  test('where they say; those for all move no trends, but what is excluded does not trend', () => {
    const rules = [
      ruleOf({ ...cap, scenarios: ['home', 'email'] }),
      ruleOf(cap),
      ruleOf({ kind: 'exclude', products: ['a'] }),
      ruleOf({ kind: 'pin', product_id: 'b', rank: 1, scenarios: ['trending'] }),
    ]
    const kinds = (scenario: string) => rulesInForce(rules, scenario, 0).map(({ kind }) => kind)
    expect(kinds('home')).toEqual(['cap', 'cap', 'exclude'])
    expect(kinds('cart')).toEqual(['cap', 'exclude'])
    expect(kinds('trending')).toEqual(['exclude', 'pin'])
  })

  test('compiled by scenario are those in force, at any moment asked for in any order', () => {
    const moment = fc.option(fc.integer({ min: 0, max: 6 }), { nil: null })
    const frame = fc.record({
      starts_at: moment,
      ends_at: moment,
      enabled: fc.boolean(),
      scenarios: fc.subarray(['home', 'cart', 'trending']),
    })
    const ask = fc.tuple(
      fc.constantFrom('home', 'cart', 'trending', 'email', ''),
      fc.integer({ min: 0, max: 7 }),
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 4 }), fc.array(ask, { maxLength: 12 }), (frames, asks) => {
        const rules = frames.map((one) => ({ ...ruleOf(cap), ...one }))
        const byScenario = new RulesByScenario(rules, 7)
        for (const [scenario, atMs] of asks) {
          const compiled = byScenario.at(scenario, atMs)
          expect(compiled?.rules ?? []).toEqual(rulesInForce(rules, scenario, atMs))
          expect(compiled?.revision ?? 7).toBe(7)
        }
      }),
    )
  })

  test('nothing is made anew while nothing begins or ends', () => {
    const byScenario = new RulesByScenario([
      ruleOf({ ...cap, starts_at: 5, scenarios: ['home'] }),
      ruleOf(cap),
    ])
    expect(byScenario.at('a', 1)).toBe(byScenario.at('b', 4))
    expect(byScenario.at('home', 1)).not.toBe(byScenario.at('home', 5))
    expect(new RulesByScenario([]).at('home', 1)).toBeNull()
  })

  test('of several that explore, one for the scenario goes before one for all, then the newest', () => {
    const explore = (probability: number, scenarios: string[] = []) =>
      ruleOf({ kind: 'explore', probability, scenarios })
    const rules = [explore(0.1, ['home']), explore(0.2, ['home']), explore(0.3)]
    expect(new CompiledRules(rules, 0).explore?.probability).toBe(0.2)
    expect(new CompiledRules(rules.slice(2), 0).explore?.probability).toBe(0.3)
  })
})

describe('which products a rule is about', () => {
  const targets = fc.record(
    {
      products: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
      categories: fc.subarray(['1', 'TOYS', 'books'], { minLength: 1 }),
      min_price: fc.integer({ min: 0, max: 3 }),
      max_price: fc.integer({ min: 3, max: 6 }),
    },
    { requiredKeys: [] },
  )
  const products = fc.record({
    product_id: fc.constantFrom('a', 'b', 'd'),
    category: fc.constantFrom<[number | null, string | null]>([1, 'Toys'], [2, 'Books'], [null, null]),
    price: fc.option(fc.integer({ min: 0, max: 7 }), { nil: null }),
  })

  test('the index finds those of the plain definition', () => {
    fc.assert(
      fc.property(fc.array(targets, { maxLength: 5 }), products, (all, { product_id, category, price }) => {
        const rules = all
          .filter((target) => Object.keys(target).length > 0)
          .map((target) => ruleOf({ kind: 'boost', factor: 2, ...target }))
        const [category_id, name] = category
        const product = productNamed(product_id, { category_id, category: name, price })
        const found = new CompiledRules(rules, 0).factors.about(product_id, product)
        expect(new Set(found)).toEqual(new Set(rules.filter((rule) => isAbout(rule, product))))
      }),
    )
  })

  test('what is excluded in memory is excluded by facts too; with no facts what may be meant is kept out', () => {
    const catalogue = new ShopCatalogue([
      productNamed('a', { category_id: 1, category: 'Toys', price: 5 }),
      productNamed('b', { category_id: 2, category: 'Books', price: 5 }),
    ])
    const excludes = (body: object) => new CompiledRules([ruleOf({ kind: 'exclude', ...body })], 0)
    const inMemory = (body: object) =>
      ['a', 'b', 'x'].filter((id) => excludes(body).exclusionIn(catalogue)?.isExcluded(id))
    expect(inMemory({ products: ['a'] })).toEqual(['a'])
    expect(inMemory({ categories: ['TOYS'] })).toEqual(['a'])
    expect(inMemory({ categories: ['2'] })).toEqual(['b'])
    expect(inMemory({ categories: ['2'], max_price: 3 })).toEqual([])
    expect(excludes({ categories: ['2'], max_price: 3 }).excluderOf('b', catalogue.get('b'))).toBeNull()
    expect(excludes({ categories: ['2'], max_price: 5 }).excluderOf('b', catalogue.get('b'))).not.toBeNull()
    expect(excludes({ products: ['a'] }).excluderOf('b', undefined)).toBeNull()
    expect(excludes({ categories: ['2'] }).excluderOf('b', undefined)).not.toBeNull()
    expect(excludes({ min_price: 2 }).excluderOf('b', undefined)).not.toBeNull()
    const rules = excludes({ products: ['a'] })
    expect(rules.exclusionIn(catalogue)).toBe(rules.exclusionIn(catalogue))
  })
})

function isAbout(rule: Rule, product: ReturnType<typeof productNamed>): boolean {
  if (rule.kind !== 'boost') return false
  const { products, categories, min_price, max_price } = rule
  if (products && !products.includes(product.product_id)) return false
  const names = [String(product.category_id), product.category?.toLowerCase()]
  if (categories && !categories.some((category) => names.includes(category.toLowerCase()))) return false
  if (min_price === undefined && max_price === undefined) return true
  if (product.price === null) return false
  return product.price >= (min_price ?? 0) && product.price <= (max_price ?? Number.POSITIVE_INFINITY)
}
