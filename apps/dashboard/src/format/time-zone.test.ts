import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hoursAheadOfUtc, shiftCells } from './time-zone.ts'

const JANUARY_MS = Date.UTC(2026, 0, 5)
const JULY_MS = Date.UTC(2026, 6, 5)

describe('hoursAheadOfUtc', () => {
  test.each([
    ['UTC', JANUARY_MS, 0],
    ['Asia/Jakarta', JANUARY_MS, 7],
    ['America/New_York', JANUARY_MS, -5],
    ['America/New_York', JULY_MS, -4],
  ])('%s', (zone, atMs, hours) => {
    expect(hoursAheadOfUtc(zone, atMs)).toBe(hours)
  })
  test('a zone with half hours has none', () => {
    expect(hoursAheadOfUtc('Asia/Kolkata', JANUARY_MS)).toBeNull()
  })
})

describe('shiftCells', () => {
  const cell = (weekday: number, hour: number) => ({
    weekday,
    hour,
    active_users: weekday * 100 + hour,
    events: 1,
  })
  const week = Array.from({ length: 168 }, (_, i) => cell(Math.floor(i / 24) + 1, i % 24))

  test('Sunday evening becomes Monday morning further east', () => {
    expect(shiftCells([cell(7, 20)], 7)[0]).toMatchObject({ weekday: 1, hour: 3 })
  })
  test('Monday morning becomes Sunday evening further west', () => {
    expect(shiftCells([cell(1, 2)], -5)[0]).toMatchObject({ weekday: 7, hour: 21 })
  })
  test('there and back is where it began, and every hour of the week stays there once', () => {
    fc.assert(
      fc.property(fc.integer({ min: -14, max: 14 }), (hours) => {
        const there = shiftCells(week, hours)
        expect(new Set(there.map(({ weekday, hour }) => weekday * 24 + hour)).size).toBe(168)
        expect(shiftCells(there, -hours)).toEqual(week)
      }),
    )
  })
})
