import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitLowPass, type Interactions } from '../src/index.ts'
import { LeadingItems } from '../src/leading-items.ts'
import { user } from './matrices.ts'

test('the leading items hold the largest scores, and those left have smaller ones', () => {
  const float = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, 1, 2, 1e-40))
  fc.assert(
    fc.property(fc.array(float, { maxLength: 300 }), fc.nat({ max: 40 }), (values, wanted) => {
      const scores = Float32Array.from(values)
      const items = Uint32Array.from(values.keys())
      const kept = new LeadingItems(scores).moveToFront(items, items.length, wanted)
      expect([...items].sort((a, b) => a - b)).toEqual([...values.keys()])
      expect(kept).toBeGreaterThanOrEqual(Math.min(wanted, items.length))
      const least = Math.min(...Array.from(items.subarray(0, kept), (item) => scores[item]!))
      for (const item of items.subarray(kept)) expect(scores[item]!).toBeLessThanOrEqual(least)
    }),
  )
})

test('scores that are alike lead together', () => {
  const items = Uint32Array.from({ length: 100 }, (_, n) => n)
  expect(new LeadingItems(new Float32Array(100).fill(0.5)).moveToFront(items, 100, 3)).toBe(100)
})

/** Everybody has an item that all share, and one of many; so the shared one has them all as neighbours. */
function star(itemCount: number): Interactions {
  const others = Array.from({ length: itemCount - 1 }, (_, n) => n + 1)
  return {
    userCount: others.length,
    itemCount,
    users: Uint32Array.from(others.flatMap((other) => [other - 1, other - 1])),
    items: Uint32Array.from(others.flatMap((other) => [0, other])),
    weights: Float32Array.from(others.flatMap((other) => [1 + (other % 7), 1 + (other % 5)])),
    timesMs: new Float64Array(2 * others.length),
  }
}

test('low-pass looks beyond the leading neighbours where the filter leaves too few of them', () => {
  const itemCount = 3_000
  const model = fitLowPass(star(itemCount), { walk: { neighbourCount: itemCount }, rank: 4 })
  const all = model.recommend(user(0), { k: itemCount })
  expect(all.items.length).toBe(itemCount - 1)
  const last = all.items.at(-1)!
  expect([...model.recommend(user(0), { k: 5, filter: (item) => item === last }).items]).toEqual([last])
})
