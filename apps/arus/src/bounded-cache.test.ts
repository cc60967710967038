import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BoundedCache } from './bounded-cache.ts'

test('gives what was set or nothing, and what is in use outlives what is not', () => {
  const cache = new BoundedCache<number, string>(3)
  for (let i = 0; i < 100; i++) {
    cache.set(i, `v${i}`)
    if (i > 0) expect(cache.get(1)).toBe('v1')
  }
  expect(cache.get(2)).toBeUndefined()
})

test('holds at most twice its capacity, whatever happens', () => {
  const steps = fc.array(fc.record({ key: fc.nat(40), isRead: fc.boolean() }), { maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (capacity, sequence) => {
      const cache = new BoundedCache<number, number>(capacity)
      for (const { key, isRead } of sequence) {
        if (isRead) expect([key, undefined]).toContain(cache.get(key))
        else cache.set(key, key)
      }
      expect(cache.size).toBeLessThanOrEqual(2 * capacity)
    }),
  )
})
