import { expect, test } from 'vitest'
import { cautiousClock } from './cautious-clock.ts'

const MINUTE = 60_000
const YEAR = 365 * 86_400_000

function clocks() {
  const at = { wall: 1_000_000_000, steady: 0 }
  const clock = cautiousClock({ now: () => at.wall, steadyMs: () => at.steady })
  const pass = (ms: number) => {
    at.wall += ms
    at.steady += ms
  }
  return { at, clock, pass }
}

test('a leap ahead and back is never believed; time goes on meanwhile', () => {
  const { at, clock, pass } = clocks()
  at.wall += YEAR
  expect(clock()).toBe(1_000_000_000)
  pass(9 * MINUTE)
  expect(clock()).toBe(1_000_000_000 + 9 * MINUTE)
  at.wall -= YEAR
  expect(clock()).toBe(1_000_000_000 + 9 * MINUTE)
  at.wall += YEAR
  pass(5 * MINUTE)
  expect(clock()).toBe(1_000_000_000 + 14 * MINUTE)
})

test('a clock that was set back before the start is doubted too', () => {
  const at = { wall: 1_000_000_000 - YEAR, steady: 0 }
  const clock = cautiousClock({ now: () => at.wall, steadyMs: () => at.steady, lastMs: 1_000_000_000 })
  expect(clock()).toBe(1_000_000_000)
})

test('a leap that lasts is believed after ten minutes', () => {
  const { at, clock, pass } = clocks()
  at.wall += YEAR
  clock()
  pass(10 * MINUTE)
  expect(clock()).toBe(1_000_000_000 + YEAR + 10 * MINUTE)
})

test('a leap back is doubted alike; small steps either way are believed at once', () => {
  const { at, clock, pass } = clocks()
  at.wall -= YEAR
  expect(clock()).toBe(1_000_000_000)
  pass(10 * MINUTE)
  expect(clock()).toBe(1_000_000_000 - YEAR + 10 * MINUTE)
  at.wall += 30_000
  expect(clock()).toBe(1_000_000_000 - YEAR + 10 * MINUTE + 30_000)
})
