import { describe, expect, test } from 'vitest'
import { formatOf } from './format.ts'

const NOON_MS = Date.UTC(2026, 0, 5, 12, 30)
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('English', () => {
  const format = formatOf('en')
  test('numbers', () => {
    expect(format.count(1_426_337)).toBe('1,426,337')
    expect(format.short(9_999)).toBe('9,999')
    expect(format.short(12_400)).toBe('12.4K')
    expect(format.percent(0.1234)).toBe('12.3%')
    expect(format.growth(0.5)).toBe('+50%')
    expect(format.money(1234.5)).toBe('1,234.50')
  })
  test('what is not known is a dash', () => {
    expect([
      format.percent(null),
      format.growth(null),
      format.money(null),
      format.milliseconds(null),
    ]).toEqual(Array(4).fill('–'))
  })
  test('sizes and durations take the largest fitting unit', () => {
    expect(plain(format.bytes(0))).toBe('0 byte')
    expect(plain(format.bytes(999))).toBe('999 byte')
    expect(plain(format.bytes(1_500_000))).toBe('1.5 MB')
    expect(plain(format.bytes(5e15))).toBe('5,000 TB')
    expect(plain(format.seconds(0.2))).toBe('0.2 sec')
    expect(plain(format.seconds(5_400))).toBe('1.5 hr')
  })
  test('times are those of the zone', () => {
    expect(format.time(NOON_MS, 'UTC')).toBe('12:30')
    expect(format.time(NOON_MS, 'Asia/Jakarta')).toBe('19:30')
    expect(format.day(NOON_MS, 'UTC')).toBe('Jan 5')
  })
})

test('Indonesian separates thousands with points and tells time with points', () => {
  const format = formatOf('id')
  expect(format.count(1_426_337)).toBe('1.426.337')
  expect(format.money(1234.5)).toBe('1.234,50')
  expect(format.time(NOON_MS, 'UTC')).toBe('12.30')
})
