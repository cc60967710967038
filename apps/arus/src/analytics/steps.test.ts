import { expect, test } from 'vitest'
import { duckdbDialect } from '../query/duckdb-dialect.ts'
import { trinoDialect } from '../query/trino/trino-dialect.ts'
import { DAY_MS, HOUR_MS } from './period.ts'
import { stepsOf } from './steps.ts'

test('steps are aligned to UTC and cover the period', () => {
  const { times, sql } = stepsOf({ fromMs: HOUR_MS + 1, toMs: 3 * HOUR_MS }, 'hour', 'UTC')
  expect(times).toEqual([HOUR_MS, 2 * HOUR_MS])
  expect(sql(duckdbDialect)).toBe('(epoch_ms(ts) - 3600000) // 3600000')
  expect(sql(trinoDialect)).toMatch(/^\(date_diff\('millisecond', .*, ts\) - 3600000\) \/ 3600000$/)
  expect(stepsOf({ fromMs: -1, toMs: 1 }, 'day', 'UTC').times).toEqual([-DAY_MS, 0])
})

test('days of a zone are 23 and 25 hours long where its clocks change', () => {
  const hoursOf = (fromIso: string, toIso: string, zone: string) => {
    const { times } = stepsOf({ fromMs: Date.parse(fromIso), toMs: Date.parse(toIso) }, 'day', zone)
    return times.slice(1).map((at, i) => (at - (times[i] ?? 0)) / HOUR_MS)
  }
  expect(hoursOf('2026-03-28T12:00Z', '2026-03-31T12:00Z', 'Europe/Berlin')).toEqual([24, 23, 24])
  expect(hoursOf('2026-10-24T12:00Z', '2026-10-27T12:00Z', 'Europe/Berlin')).toEqual([24, 25, 24])
})

test('a day without a midnight begins with its first moment', () => {
  const period = { fromMs: Date.parse('2018-11-03T12:00Z'), toMs: Date.parse('2018-11-04T12:00Z') }
  const { times } = stepsOf(period, 'day', 'America/Sao_Paulo')
  expect(times.map((at) => new Date(at).toISOString())).toEqual([
    '2018-11-03T03:00:00.000Z',
    '2018-11-04T03:00:00.000Z',
  ])
})

test('hours begin with the hours of the zone', () => {
  const { times } = stepsOf({ fromMs: 0, toMs: HOUR_MS }, 'hour', 'Asia/Kathmandu')
  expect(times).toEqual([-HOUR_MS / 2, HOUR_MS / 2])
})

test.each(['minute', 'day'] as const)('more steps of a %s than a series can have are refused', (interval) => {
  const far = { fromMs: -8.64e15, toMs: 8.64e15 }
  expect(() => stepsOf(far, interval, 'America/New_York')).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID' }),
  )
})

test('a zone that is not known by name is refused', () => {
  for (const zone of ['Mars/Olympus', '+07:00', "UTC'"]) {
    expect(() => stepsOf({ fromMs: 0, toMs: 1 }, 'day', zone)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    )
  }
})
