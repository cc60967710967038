import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventLog, LogBatch, LogRecord } from '../src/index.ts'

/** An adapter under test: a log that starts empty and can be opened again on what it holds. */
export interface LogUnderTest {
  open(): Promise<EventLog>
  /** Removes everything. */
  destroy(): Promise<void>
}

const TOPIC = 'contract'

/** What every adapter of `EventLog` must do. */
export function eventLogContract(adapter: string, prepare: () => Promise<LogUnderTest>): void {
  describe(`event log: ${adapter}`, () => {
    let under: LogUnderTest
    let log: EventLog
    beforeEach(async () => {
      under = await prepare()
      log = await under.open()
      await log.ensureTopic(TOPIC, { partitionCount: 3 })
    })
    afterEach(async () => {
      await log.close()
      await under.destroy()
    })

    test('records of one key stay in one partition, in append order', async () => {
      const positions = [
        ...(await log.append(
          TOPIC,
          ['1', '2', '3'].map((value) => record('ani', value)),
        )),
        ...(await log.append(TOPIC, [record('ani', '4')])),
      ]
      const [partition] = new Set(positions.map((position) => position.partition))
      expect(positions.every((position) => position.partition === partition)).toBe(true)
      const batch = await log.read(TOPIC, partition!, 0, 10)
      expect(batch.entries.map(text)).toEqual(['1', '2', '3', '4'])
      expect(batch.entries.map((entry) => entry.offset)).toEqual(positions.map((position) => position.offset))
    })

    test('concurrent appends neither lose, double nor mix up positions', async () => {
      const positions = await Promise.all(
        Array.from({ length: 200 }, (_, i) => log.append(TOPIC, [record(`key-${i % 7}`, String(i))])),
      )
      const all = await everything(log)
      expect(all.map((entry) => Number(text(entry))).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 200 }, (_, i) => i),
      )
      for (const [i, [position]] of positions.entries()) {
        const { entries } = await log.read(TOPIC, position!.partition, position!.offset, 1)
        expect(entries.map(text)).toEqual([String(i)])
      }
    })

    test('key, time and bytes come back as they went in', async () => {
      const value = new Uint8Array(Array.from({ length: 256 }, (_, i) => i))
      await log.append(TOPIC, [{ key: 'Ünïcode ✓', value, timestampMs: 1_700_000_000_123 }])
      const [entry] = await everything(log)
      expect(entry).toMatchObject({ key: 'Ünïcode ✓', timestampMs: 1_700_000_000_123 })
      expect(new Uint8Array(entry!.value)).toEqual(value)
    })

    test('what was appended and committed is there after opening again', async () => {
      await log.append(TOPIC, [record('a', 'kept')])
      await log.commit('group', TOPIC, new Map([[1, 5]]))
      await log.close()
      log = await under.open()
      expect((await everything(log)).map(text)).toEqual(['kept'])
      expect(await log.committed('group', TOPIC)).toEqual(new Map([[1, 5]]))
    })

    test('consume begins at the beginning, waits at the end, and ends when told to', async () => {
      await log.append(TOPIC, [record('a', 'before')])
      const abort = new AbortController()
      const seen: string[] = []
      const consuming = (async () => {
        for await (const batch of log.consume(TOPIC, { from: 'beginning', signal: abort.signal })) {
          seen.push(...batch.entries.map(text))
          if (seen.length === 1) void log.append(TOPIC, [record('b', 'after')])
          if (seen.length === 2) abort.abort()
        }
      })()
      await consuming
      expect(seen).toEqual(['before', 'after'])
    })

    test('consume from latest sees only what comes later', async () => {
      await log.append(TOPIC, [record('a', 'old')])
      const abort = new AbortController()
      const batches = log.consume(TOPIC, { from: 'latest', signal: abort.signal })[Symbol.asyncIterator]()
      const next = batches.next()
      await new Promise((resolve) => setImmediate(resolve))
      await log.append(TOPIC, [record('a', 'new')])
      expect(((await next).value as LogBatch).entries.map(text)).toEqual(['new'])
      abort.abort()
    })

    test('a consumer that waits leaves nothing behind on its signal, however often it looks', async () => {
      const abort = new AbortController()
      const next = log.consume(TOPIC, { from: 'latest', signal: abort.signal })[Symbol.asyncIterator]().next()
      await log.ensureTopic('other', { partitionCount: 1 })
      for (let round = 0; round < 20; round++) {
        await log.append('other', [record('a', 'elsewhere')])
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      expect(getEventListeners(abort.signal, 'abort').length).toBeLessThanOrEqual(1)
      abort.abort()
      expect((await next).done).toBe(true)
    })

    test('consume goes on from the committed offsets of the group, and from offsets that are named', async () => {
      const positions = await log.append(
        TOPIC,
        ['0', '1', '2', '3'].map((value) => record('one-key', value)),
      )
      const { partition } = positions[0]!
      await log.commit('g', TOPIC, new Map([[partition, positions[2]!.offset]]))
      expect(await firstBatch(log, { group: 'g', from: 'committed' })).toEqual(['2', '3'])
      expect(await firstBatch(log, { from: new Map([[partition, positions[3]!.offset]]) })).toEqual(['3'])
      expect(await firstBatch(log, { group: 'nobody', from: 'committed' })).toEqual(['0', '1', '2', '3'])
    })

    test('a batch holds at most what was asked for, and the next one goes on after it', async () => {
      const positions = await log.append(
        TOPIC,
        ['0', '1', '2'].map((value) => record('k', value)),
      )
      const { partition } = positions[0]!
      const first = await log.read(TOPIC, partition, 0, 2)
      const second = await log.read(TOPIC, partition, first.nextOffset, 2)
      expect([...first.entries, ...second.entries].map(text)).toEqual(['0', '1', '2'])
      expect((await log.read(TOPIC, partition, second.nextOffset, 2)).entries).toEqual([])
    })

    test('lag counts what a group has not done yet', async () => {
      const positions = await log.append(
        TOPIC,
        ['0', '1', '2'].map((value) => record('k', value)),
      )
      const { partition } = positions[0]!
      await log.commit('slow', TOPIC, new Map([[partition, positions[1]!.offset]]))
      const [group] = await log.groups()
      expect(group).toMatchObject({
        group: 'slow',
        partitions: [{ topic: TOPIC, partition, committedOffset: positions[1]!.offset, lag: 2 }],
      })
      expect(group!.partitions[0]!.lagMs).toBeGreaterThan(0)
    })

    test('a topic keeps its partitions when it is ensured again', async () => {
      await log.ensureTopic(TOPIC, { partitionCount: 9 })
      expect((await log.topic(TOPIC)).partitions).toHaveLength(3)
      expect((await log.topics()).map((topic) => topic.topic)).toContain(TOPIC)
    })

    test('an unknown topic, an unknown partition and a closed log are told apart', async () => {
      await expect(log.append('none', [record('a', 'b')])).rejects.toMatchObject({
        code: 'LOG_TOPIC_UNKNOWN',
      })
      await expect(log.read(TOPIC, 99, 0, 1)).rejects.toMatchObject({ code: 'LOG_PARTITION_UNKNOWN' })
      await expect(log.ensureTopic('no spaces', { partitionCount: 1 })).rejects.toMatchObject({
        code: 'LOG_TOPIC_INVALID',
      })
      await log.close()
      await expect(log.append(TOPIC, [record('a', 'b')])).rejects.toMatchObject({ code: 'LOG_CLOSED' })
      expect(await log.isHealthy()).toBe(false)
    })
  })
}

function record(key: string, value: string): LogRecord {
  return { key, value: Buffer.from(value), timestampMs: 1_000 }
}

function text(entry: { readonly value: Uint8Array }): string {
  return Buffer.from(entry.value).toString()
}

async function everything(log: EventLog) {
  const { partitions } = await log.topic(TOPIC)
  const batches = await Promise.all(partitions.map(({ partition }) => log.read(TOPIC, partition, 0, 100_000)))
  return batches.flatMap((batch) => batch.entries)
}

async function firstBatch(
  log: EventLog,
  options: { readonly group?: string; readonly from: 'committed' | ReadonlyMap<number, number> },
): Promise<string[]> {
  const abort = new AbortController()
  for await (const batch of log.consume(TOPIC, { ...options, signal: abort.signal })) {
    abort.abort()
    return batch.entries.map(text)
  }
  return []
}
