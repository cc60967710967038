import type { SystemMetrics } from 'arus/api'
import { expect, test } from 'vitest'
import { partitionKey, ratesBetween } from './partition-rates.ts'

function metricsAt(generated_at: number, end: number, committed: number): SystemMetrics {
  return {
    services: [],
    process: { uptime_seconds: 1, memory_bytes: 1, cpu_percent: 1, event_loop_delay_ms_p99: 1 },
    http: { requests_per_second: 1, latency_ms_p50: null, latency_ms_p99: null, errors_per_minute: 0 },
    topics: [
      {
        topic: 'events',
        size_bytes: 1,
        messages: end,
        messages_per_second: 0,
        partitions: [{ partition: 0, start_offset: 0, end_offset: end, newest_at: null }],
      },
    ],
    consumer_groups: [
      {
        group: 'lake',
        lag: 0,
        lag_seconds: 0,
        lost: 0,
        processed_per_second: 0,
        partitions: [
          {
            topic: 'events',
            partition: 0,
            committed_offset: committed,
            end_offset: end,
            lag: end - committed,
            lag_seconds: 0,
            lost: 0,
          },
        ],
      },
    ],
    tables: [],
    storage: [],
    history: [],
    generated_at,
  }
}

test('a partition’s rate is what its offset moved by, per second', () => {
  const rates = ratesBetween(metricsAt(1_000, 100, 50), metricsAt(6_000, 150, 75))
  expect(rates.get(partitionKey('events', 0))).toBe(10)
  expect(rates.get(partitionKey('events', 0, 'lake'))).toBe(5)
})

test('no time between, or an offset that went back, gives no rate', () => {
  expect(ratesBetween(metricsAt(1_000, 1, 1), metricsAt(1_000, 9, 9)).size).toBe(0)
  const rates = ratesBetween(metricsAt(1_000, 100, 50), metricsAt(2_000, 5, 60))
  expect([...rates.keys()]).toEqual([partitionKey('events', 0, 'lake')])
})
