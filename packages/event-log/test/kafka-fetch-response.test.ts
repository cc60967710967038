import type { RecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entriesOf } from '../src/kafka/fetch-response.ts'

const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5

test('a batch that begins before the offset asked for is cut, and gaps at its end are passed over', () => {
  const fetched = {
    records: [batch(10, { values: ['a', 'b', 'c'], lastOffsetDelta: 9 })],
    abortedTransactions: null,
  }
  const { entries, nextOffset } = entriesOf(fetched, 11)
  expect(entries.map((entry) => [entry.offset, text(entry.value)])).toEqual([
    [11, 'b'],
    [12, 'c'],
  ])
  expect(nextOffset).toBe(20)
})

test('a record without key and value has no key and an empty value', () => {
  const [record] = batch(0, { values: ['x'] }).records
  const records = [
    { ...batch(0, { values: [] }), lastOffsetDelta: 0, records: [{ ...record!, key: null, value: null }] },
  ]
  const { entries } = entriesOf({ records, abortedTransactions: [] }, 0)
  expect(entries).toMatchObject([{ key: null, offset: 0, timestampMs: 1_000 }])
  expect(entries[0]?.value.length).toBe(0)
})

test('where the broker gives records their time, it is that of the batch', () => {
  const records = [{ ...batch(0, { values: ['x', 'y'], attributes: 1 << 3 }), maxTimestamp: 7_000n }]
  const { entries } = entriesOf({ records, abortedTransactions: null }, 0)
  expect(entries.map((entry) => entry.timestampMs)).toEqual([7_000, 7_000])
})

test('records of aborted transactions are never shown, wherever the answer is cut; all others are', () => {
  const step = fc.record({
    producer: fc.integer({ min: 1, max: 3 }),
    what: fc.constantFrom('records', 'commit', 'abort', 'plain'),
    count: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), fc.nat(), (steps, first, last) => {
      const { batches, aborted, visible, end } = history(steps)
      const from = batches.length === 0 ? 0 : first % batches.length
      const to = from + (last % (batches.length - from + 1))
      const cut = batches.slice(from, to)
      const range = [Number(cut[0]?.firstOffset ?? 0), cut.length === 0 ? 0 : endOf(cut.at(-1)!)] as const
      // As the broker does: those aborted transactions that reach into what it sends.
      const reaching = aborted.filter((one) => one.firstOffset < range[1] && one.lastOffset >= range[0])
      const { entries, nextOffset } = entriesOf(
        {
          records: cut,
          abortedTransactions: reaching.map((one) => ({
            producerId: one.producerId,
            firstOffset: BigInt(one.firstOffset),
          })),
        },
        range[0],
      )
      expect(entries.map((entry) => entry.offset)).toEqual(
        visible.filter((offset) => offset >= range[0] && offset < range[1]),
      )
      expect(nextOffset).toBe(cut.length === 0 ? range[0] : range[1])
      expect(end).toBeGreaterThanOrEqual(nextOffset)
    }),
  )
})

interface Step {
  readonly producer: number
  readonly what: string
  readonly count: number
}

/** A partition's batches, and by plain bookkeeping which offsets a reader may see. Transactions left open are aborted at last. */
function history(steps: readonly Step[]) {
  const batches: RecordsBatch[] = []
  const visible: number[] = []
  const aborted: { producerId: bigint; firstOffset: number; lastOffset: number }[] = []
  const open = new Map<number, number[]>()
  let end = 0
  const finish = (producer: number, isCommit: boolean) => {
    const offsets = open.get(producer)
    if (offsets === undefined) return
    open.delete(producer)
    batches.push(marker(end, producer, isCommit))
    if (isCommit) visible.push(...offsets)
    else aborted.push({ producerId: BigInt(producer), firstOffset: offsets[0]!, lastOffset: end })
    end += 1
  }
  for (const { producer, what, count } of steps) {
    if (what === 'commit' || what === 'abort') finish(producer, what === 'commit')
    else {
      const offsets = Array.from({ length: count }, (_, i) => end + i)
      const attributes = what === 'records' ? TRANSACTIONAL : 0
      if (what === 'records') open.set(producer, [...(open.get(producer) ?? []), ...offsets])
      else visible.push(...offsets)
      batches.push(
        batch(end, { values: offsets.map(String), attributes, producer: what === 'records' ? producer : -1 }),
      )
      end += count
    }
  }
  for (const producer of [...open.keys()]) finish(producer, false)
  return { batches, aborted, visible: visible.sort((a, b) => a - b), end }
}

interface BatchOptions {
  readonly values: readonly string[]
  readonly attributes?: number
  readonly producer?: number
  readonly lastOffsetDelta?: number
}

function batch(firstOffset: number, options: BatchOptions): RecordsBatch {
  const { values, attributes = 0, producer = -1, lastOffsetDelta = values.length - 1 } = options
  return {
    firstOffset: BigInt(firstOffset),
    length: 0,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes,
    lastOffsetDelta,
    firstTimestamp: 1_000n,
    maxTimestamp: 1_000n,
    producerId: BigInt(producer),
    producerEpoch: 0,
    firstSequence: 0,
    records: values.map((value, offsetDelta) => ({
      length: 0,
      attributes: 0,
      timestampDelta: 0n,
      offsetDelta,
      key: Buffer.from('key'),
      value: Buffer.from(value),
      headers: [],
    })),
  }
}

function marker(offset: number, producer: number, isCommit: boolean): RecordsBatch {
  const made = batch(offset, { values: [''], attributes: TRANSACTIONAL | CONTROL, producer })
  const key = Buffer.from([0, 0, 0, isCommit ? 1 : 0])
  return { ...made, records: made.records.map((record) => ({ ...record, key })) }
}

function endOf({ firstOffset, lastOffsetDelta }: RecordsBatch): number {
  return Number(firstOffset) + lastOffsetDelta + 1
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString()
}
