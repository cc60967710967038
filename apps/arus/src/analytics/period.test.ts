import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS, resolvePeriod } from './period.ts'

const NOW = Date.UTC(2026, 2, 10, 12, 30, 15)
const NEXT_MINUTE = Date.UTC(2026, 2, 10, 12, 31)
const clock = { nowMs: NOW, newestMs: NOW - HOUR_MS }

test('open ends reach back from the next full minute', () => {
  expect(resolvePeriod({}, DAY_MS, clock)).toEqual({ fromMs: NEXT_MINUTE - DAY_MS, toMs: NEXT_MINUTE })
  expect(resolvePeriod({ fromMs: 5 }, DAY_MS, clock)).toEqual({ fromMs: 5, toMs: NEXT_MINUTE })
  expect(resolvePeriod({ toMs: 2 * DAY_MS }, DAY_MS, clock)).toEqual({ fromMs: DAY_MS, toMs: 2 * DAY_MS })
  expect(resolvePeriod({ fromMs: 1, toMs: 2 }, DAY_MS, clock)).toEqual({ fromMs: 1, toMs: 2 })
})

test('a beginning in the future makes an empty minute, not a negative period', () => {
  const fromMs = NOW + DAY_MS
  expect(resolvePeriod({ fromMs }, DAY_MS, clock)).toEqual({ fromMs, toMs: fromMs + MINUTE_MS })
})

test('where nothing happened lately, the stretch ends with the newest event', () => {
  const newestMs = Date.UTC(2015, 8, 18, 2, 59, 47)
  const { fromMs, toMs } = resolvePeriod({}, 7 * DAY_MS, { nowMs: NOW, newestMs })
  expect(toMs).toBe(Date.UTC(2015, 8, 18, 3))
  expect(toMs - fromMs).toBe(7 * DAY_MS)
  expect(resolvePeriod({}, DAY_MS, { nowMs: NOW, newestMs: null }).toMs).toBe(NEXT_MINUTE)
})
