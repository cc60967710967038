import { expect, test } from 'vitest'
import { periodQuery } from './period.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 30)
const DAY_MS = 86_400_000

test('the API chooses where nothing was chosen', () => {
  expect(periodQuery('auto', NOW_MS, null)).toEqual({})
})

test('a preset ends with the running minute', () => {
  const to = Date.UTC(2026, 0, 15, 12, 1)
  expect(periodQuery('week', NOW_MS, NOW_MS)).toEqual({ from: to - 7 * DAY_MS, to })
  expect(periodQuery('day', NOW_MS, null)).toEqual({ from: to - DAY_MS, to })
})

test('replayed history shows itself: a preset ends with the newest event when nothing newer is in it', () => {
  const newestMs = Date.UTC(2015, 5, 1, 8, 30, 10)
  const to = Date.UTC(2015, 5, 1, 8, 31)
  expect(periodQuery('month', NOW_MS, newestMs)).toEqual({ from: to - 30 * DAY_MS, to })
})
