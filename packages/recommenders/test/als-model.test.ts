import { expect, test } from 'vitest'
import { AlsModel } from '../src/als-model.ts'
import { openKernels } from '../src/kernels/open-kernels.ts'
import type { UserItems } from '../src/model.ts'
import { seededNormal } from '../src/seeded-random.ts'

const ITEM_COUNT = 5_000
const params = { unobservedWeight: 0.05, ridge: 0.001, ridgeExponent: 1 }

function modelOfRandomVectors(): AlsModel {
  const kernels = openKernels()
  const items = kernels.dense(ITEM_COUNT, 32)
  const normal = seededNormal(3)
  for (let n = 0; n < items.values.length; n++) items.values[n] = normal()
  return new AlsModel({ kernels, items, candidates: null, params })
}

const ann: UserItems = { items: Uint32Array.of(4, 90, 17), weights: Float32Array.of(1, 0.5, 3) }
const bob: UserItems = { items: Uint32Array.of(4, 90, 17), weights: Float32Array.of(3, 0.5, 0.1) }
const model = modelOfRandomVectors()

test.each([
  ['whatever it is', () => true],
  ['of few items, most of them poor', (item: number) => item % 97 === 0],
  ['of fewer than are asked for', (item: number) => item < 12],
])('the best of many items are the first of all in order, with a filter %s', (_, filter) => {
  for (const k of [1, 20, 200]) {
    const all = model.recommend(ann, { k: ITEM_COUNT, filter })
    const best = model.recommend(ann, { k, filter })
    expect([...best.items]).toEqual([...all.items.subarray(0, k)])
    expect([...best.scores]).toEqual([...all.scores.subarray(0, k)])
  }
})

test('reasons are what explains most, of the user asked for, whoever was asked for before', () => {
  const { items } = model.recommend(ann, { k: 700, filter: () => true })
  for (const user of [bob, ann, bob]) {
    const reasons = model.reasons(user, items)
    for (const [n, item] of items.entries()) {
      const parts = [...model.explain(user, item)]
      expect(reasons[n]).toBe(Math.max(...parts) > 0 ? parts.indexOf(Math.max(...parts)) : -1)
    }
  }
  expect([...model.reasons(ann, items)]).not.toEqual([...model.reasons(bob, items)])
})
