import { expect, test } from 'vitest'
import { LagHistory } from './lag-history.ts'

const START = Date.UTC(2026, 2, 10, 12)
const MINUTE = 60_000

const groupOf = (lags: readonly number[], lagMs = 0) => [
  {
    group: 'live',
    partitions: lags.map((lag, partition) => ({
      topic: 'events',
      partition,
      committedOffset: 0,
      endOffset: lag,
      lag,
      lagMs,
      lost: 0,
    })),
  },
]

test('each step keeps the worst of its samples; a group is the sum of messages and the most of seconds', () => {
  const history = new LagHistory()
  history.record(groupOf([1, 5], 2_000), START)
  history.record(groupOf([3, 2], 500), START + 5_000)
  history.record(groupOf([0, 0]), START + 20_000)
  const { times, groups } = history.body('hour', START + 20_000)
  expect(times).toEqual([START, START + 10_000, START + 20_000])
  expect(groups).toEqual([
    {
      group: 'live',
      lag: [6, null, 0],
      lag_seconds: [2, null, 0],
      partitions: [
        { topic: 'events', partition: 0, lag: [3, null, 0], lag_seconds: [2, null, 0] },
        { topic: 'events', partition: 1, lag: [5, null, 0], lag_seconds: [2, null, 0] },
      ],
    },
  ])
})

test('a day is kept by the minute and an hour by ten seconds; what is older goes', () => {
  const history = new LagHistory()
  for (let minute = 0; minute <= 26 * 60; minute++) history.record(groupOf([minute]), START + minute * MINUTE)
  const nowMs = START + 26 * 60 * MINUTE
  const day = history.body('day', nowMs)
  expect([day.times.length, day.times[0]]).toEqual([1_440, nowMs - 1_439 * MINUTE])
  expect(day.groups[0]?.lag).toEqual(Array.from({ length: 1_440 }, (_, i) => 121 + i))
  expect(history.body('hour', nowMs).groups[0]?.lag.filter((lag) => lag !== null)).toHaveLength(60)
})

test('a clock that leaps ahead and back leaves the present as it was', () => {
  const history = new LagHistory()
  history.record(groupOf([1]), START)
  history.record(groupOf([9]), START + 400 * 86_400_000 + 30 * MINUTE)
  history.record(groupOf([2]), START + 10_000)
  expect(history.body('hour', START + 10_000).groups[0]?.lag).toEqual([1, 2])
})

test('a thousand partitions take bounded memory; their groups are followed all the same', () => {
  const history = new LagHistory()
  history.record(groupOf(Array.from({ length: 1_024 }, () => 1)), START)
  const [group] = history.body('day', START).groups
  expect(group?.lag).toEqual([1_024])
  expect(group?.partitions.length).toBeLessThan(500)
})

test('before anything is known there is nothing', () => {
  expect(new LagHistory().body('day', START)).toMatchObject({ times: [START], groups: [] })
})
