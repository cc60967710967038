import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs, DEFAULT_RETRY_POLICY } from '../src/retry-policy.ts'

test('pauses grow to the longest and end with the last try', () => {
  const policy = { maxRetries: 4, initialBackoffMs: 10, maxBackoffMs: 50, backoffMultiplier: 2 }
  const pauses = [1, 2, 3, 4, 5].map((retry) => backoffMs(policy, retry, { random: () => 1 }))
  expect(pauses).toEqual([10, 20, 40, 50, null])
})

test('a pause is never shorter than half of the policy’s, nor than the server asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: DEFAULT_RETRY_POLICY.maxRetries }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(100_000),
      (retry, draw, serverDelayMs) => {
        const full = backoffMs(DEFAULT_RETRY_POLICY, retry, { random: () => 1 })!
        const pause = backoffMs(DEFAULT_RETRY_POLICY, retry, { random: () => draw, serverDelayMs })!
        expect(pause).toBeGreaterThanOrEqual(Math.max(full / 2, serverDelayMs))
        expect(pause).toBeLessThanOrEqual(Math.max(full, serverDelayMs))
      },
    ),
  )
})

test('without an answer the default gives up within a minute', () => {
  let total = 0
  for (let retry = 1; ; retry++) {
    const pause = backoffMs(DEFAULT_RETRY_POLICY, retry, { random: () => 1 })
    if (pause === null) break
    total += pause
  }
  expect(total).toBeLessThan(60_000)
})
