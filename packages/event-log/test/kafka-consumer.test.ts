import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FetchedPartition, FetchRequest } from '../src/kafka/fetcher.ts'
import { consumeKafka } from '../src/kafka/kafka-consumer.ts'

const PARTITIONS = 4
const ENTRIES = 12
/** Of a partition that retention has taken the first from. */
const START = 3

type Fault = 'none' | 'lost connection' | 'partition' | 'leaders' | 'bounds'

/** Brokers that fail as told, call by call, and answer with up to three entries a partition. */
class FaultyBrokers {
  readonly #faults: Fault[]
  readonly #nodeCount: number
  #leaderShift = 0

  constructor(faults: readonly Fault[], nodeCount: number) {
    this.#faults = [...faults]
    this.#nodeCount = nodeCount
  }

  async leaders(): Promise<Map<number, number[]>> {
    if (this.#is('leaders')) throw unavailable()
    const leaders = new Map<number, number[]>()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const node = (partition + this.#leaderShift) % this.#nodeCount
      leaders.set(node, [...(leaders.get(node) ?? []), partition])
    }
    return leaders
  }

  forgetLeaders(): void {
    this.#leaderShift += 1
  }

  async fetch({ from }: FetchRequest): Promise<FetchedPartition[]> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#is('lost connection')) throw unavailable()
    const failing = this.#is('partition') ? Math.max(...from.keys()) : -1
    return [...from].map(([partition, fromOffset]) => {
      const bare = { partition, fromOffset, entries: [], nextOffset: fromOffset, endOffset: ENTRIES }
      if (partition === failing) return { ...bare, error: 'NOT_LEADER_OR_FOLLOWER' }
      if (fromOffset < START) return { ...bare, error: 'OFFSET_OUT_OF_RANGE' }
      const nextOffset = Math.min(ENTRIES, fromOffset + 3)
      const entries = Array.from({ length: nextOffset - fromOffset }, (_, i) => ({
        key: null,
        value: Buffer.alloc(0),
        timestampMs: 0,
        offset: fromOffset + i,
      }))
      return { ...bare, entries, nextOffset, error: null }
    })
  }

  async bounds(): Promise<{ start: number; end: number }> {
    if (this.#is('bounds')) throw unavailable()
    return { start: START, end: ENTRIES }
  }

  /** The next fault of this kind happens here; others wait for their place. */
  #is(fault: Fault): boolean {
    if (this.#faults[0] === 'none') this.#faults.shift()
    if (this.#faults[0] !== fault) return false
    this.#faults.shift()
    return true
  }
}

test('whatever fails on the way, each entry comes once and in order, and what was lost is told', async () => {
  const faults = fc.array(
    fc.constantFrom<Fault>('none', 'none', 'lost connection', 'partition', 'leaders', 'bounds'),
    {
      maxLength: 4,
    },
  )
  await fc.assert(
    fc.asyncProperty(
      faults,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      async (given, nodeCount, maxRecords) => {
        const brokers = new FaultyBrokers(given, nodeCount)
        const abort = new AbortController()
        const seen = new Map<number, number[]>()
        let lost = 0
        for await (const batch of consumeKafka({
          fetcher: brokers,
          topic: 't',
          name: 't',
          positions: new Map(Array.from({ length: PARTITIONS }, (_, i) => [i, i === 0 ? 0 : START])),
          maxRecords,
          signal: abort.signal,
          bounds: () => brokers.bounds(),
        })) {
          expect(batch.entries.length).toBeLessThanOrEqual(maxRecords)
          const offsets = batch.entries.map(({ offset }) => offset)
          seen.set(batch.partition, [...(seen.get(batch.partition) ?? []), ...offsets])
          lost += batch.lost
          const count = [...seen.values()].reduce((sum, list) => sum + list.length, 0)
          if (count >= PARTITIONS * (ENTRIES - START)) abort.abort()
        }
        const whole = Array.from({ length: ENTRIES - START }, (_, i) => START + i)
        for (let partition = 0; partition < PARTITIONS; partition++)
          expect(seen.get(partition)).toEqual(whole)
        expect(lost).toBe(START)
      },
    ),
    { numRuns: 40 },
  )
}, 60_000)

test('what no waiting mends ends reading', async () => {
  const fetcher = {
    leaders: async () => new Map([[0, [0]]]),
    forgetLeaders: () => {},
    fetch: async () => [
      {
        partition: 0,
        fromOffset: 0,
        entries: [],
        nextOffset: 0,
        endOffset: 0,
        error: 'TOPIC_AUTHORIZATION_FAILED',
      },
    ],
  }
  const bounds = async () => ({ start: 0, end: 0 })
  const { signal } = new AbortController()
  const options = {
    fetcher,
    topic: 't',
    name: 't',
    positions: new Map([[0, 0]]),
    maxRecords: 1,
    signal,
    bounds,
  }
  await expect(consumeKafka(options).next()).rejects.toMatchObject({ code: 'LOG_ACCESS_DENIED' })
})

function unavailable(): Error {
  return Object.assign(new Error('gone'), { canRetry: true })
}
