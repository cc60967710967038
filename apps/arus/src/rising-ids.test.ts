import { randomFillSync } from 'node:crypto'
import { validate, version } from 'uuid'
import { expect, test } from 'vitest'
import { risingIds } from './rising-ids.ts'

test('ids are UUIDv7s of their time, distinct, and rise even when the clock stands still or goes back', () => {
  let nowMs = Date.UTC(2026, 0, 1)
  const next = risingIds({ now: () => nowMs, fillRandom: (bytes) => randomFillSync(bytes) })
  const first = next()
  expect(Number.parseInt(first.slice(0, 8) + first.slice(9, 13), 16)).toBe(nowMs)
  const ids = [first]
  for (let i = 0; i < 10_000; i++) {
    if (i === 9_000) nowMs -= 5_000
    ids.push(next())
  }
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true)
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(ids.length)
})

test('the random part differs between processes that start in the same millisecond', () => {
  const options = { now: () => 1_000, fillRandom: (bytes: Uint8Array) => randomFillSync(bytes) }
  expect(risingIds(options)().slice(19)).not.toBe(risingIds(options)().slice(19))
})
