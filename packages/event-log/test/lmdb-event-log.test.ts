import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LmdbEventLog, type LogEntry, murmur2, openLmdbEventLog, partitionOf } from '../src/index.ts'
import { eventLogContract } from './event-log-contract.ts'

eventLogContract('LMDB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
  return {
    open: () => openLmdbEventLog({ folder }),
    destroy: async () => rmSync(folder, { recursive: true }),
  }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('keys go to the partitions Kafka would choose', () => {
  // Known answers of org.apache.kafka.common.utils.UtilsTest#testMurmur2.
  for (const [key, hash] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const) {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  }
  expect(partitionOf('abc', 4)).toBe(479470107 % 4)
})

test('what is past the retention goes, offsets stay, and who came too late is told', async () => {
  const log = new LmdbEventLog({ folder, now: () => 10_000 })
  await log.ensureTopic('t', { partitionCount: 1, retentionMs: 5_000 })
  // A block of its own each: retention removes whole blocks.
  for (const timestampMs of [1_000, 4_999, 5_000, 9_000])
    await log.append('t', [{ key: null, value: Buffer.alloc(5_000, 'x'), timestampMs }])
  await log.commit('slow', 't', new Map([[0, 1]]))
  await log.enforceRetention()
  const { partitions } = await log.topic('t')
  expect(partitions).toEqual([{ partition: 0, startOffset: 2, endOffset: 4, newestTimestampMs: 9_000 }])
  const { entries, lost } = await log.read('t', 0, 1, 10)
  expect(entries.map((entry) => entry.offset)).toEqual([2, 3])
  expect(lost).toBe(1)
  expect((await log.read('t', 0, 2, 10)).lost).toBe(0)
  expect((await log.groups())[0]?.partitions[0]).toMatchObject({ lag: 2, lost: 1 })
  await log.append('t', [{ key: null, value: Buffer.from('y'), timestampMs: 9_000 }])
  expect((await log.read('t', 0, 0, 10)).entries.map((entry) => entry.offset)).toEqual([2, 3, 4])
  await log.close()
})

test('a partition keeps about the bytes it may, and the freed space is used again', async () => {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1, retentionBytes: 1_000_000 })
  const sizes: number[] = []
  for (let round = 0; round < 12; round++) {
    const record = { key: 'k', value: Buffer.alloc(1_000, round), timestampMs: 1 }
    for (let i = 0; i < 10; i++)
      await log.append(
        't',
        Array.from({ length: 200 }, () => record),
      )
    await log.enforceRetention()
    const info = await log.topic('t')
    expect(info.sizeBytes).toBeGreaterThanOrEqual(1_000_000)
    expect(info.sizeBytes).toBeLessThan(1_100_000)
    const [partition] = info.partitions
    expect(partition?.endOffset).toBe((round + 1) * 2_000)
    const { entries } = await log.read('t', 0, partition!.startOffset, 10_000)
    expect(entries.map((entry) => entry.offset)).toEqual(
      Array.from(
        { length: partition!.endOffset - partition!.startOffset },
        (_, i) => partition!.startOffset + i,
      ),
    )
    sizes.push(statSync(join(folder, 'data.mdb')).size)
  }
  expect(sizes.at(-1)).toBeLessThan(sizes[3]! * 1.3)
  await log.close()
})

test('what a named group has not read is not removed', async () => {
  const log = new LmdbEventLog({ folder, now: () => 10_000, retentionHolds: { t: ['lake'] } })
  await log.ensureTopic('t', { partitionCount: 1, retentionMs: 1 })
  for (let i = 0; i < 4; i++)
    await log.append('t', [{ key: null, value: Buffer.alloc(5_000, 'x'), timestampMs: 1 }])
  await log.enforceRetention()
  expect((await log.topic('t')).partitions[0]?.startOffset).toBe(0)
  await log.commit('lake', 't', new Map([[0, 3]]))
  await log.enforceRetention()
  expect((await log.topic('t')).partitions[0]?.startOffset).toBe(3)
  await log.close()
})

test('after an erasure the files hold nothing of the person, and of everybody else all', async () => {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 3 })
  const isTheirs = (n: number) => n % 5 === 0
  const nameOf = (n: number) => (isTheirs(n) ? 'erased-person' : `shopper-${n % 40}`)
  for (let from = 0; from < 3_000; from += from % 2 === 0 ? 1 : 150) {
    const count = from % 2 === 0 ? 1 : 150
    await log.append(
      't',
      Array.from({ length: Math.min(count, 3_000 - from) }, (_, i) => ({
        key: nameOf(from + i),
        value: Buffer.from(
          `${nameOf(from + i)} secret-${isTheirs(from + i) ? 'theirs' : 'others'} ${from + i}`,
        ),
        timestampMs: from + i,
      })),
    )
  }
  const held = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)))
  expect(held().some((bytes) => bytes.includes('erased-person'))).toBe(true)
  const before = await allOf(log)
  const result = await log.erase('t', ({ key }) => key === 'erased-person')
  expect(result).toEqual({ kind: 'erased', count: 600 })
  expect(held().some((bytes) => bytes.includes('erased-person') || bytes.includes('secret-theirs'))).toBe(
    false,
  )
  const left = before.filter(({ key }) => key !== 'erased-person')
  expect(await allOf(log)).toEqual(left)
  await log.append('t', [{ key: 'erased-person', value: Buffer.from('back'), timestampMs: 1 }])
  await log.close()
  const again = new LmdbEventLog({ folder })
  expect(await allOf(again)).toHaveLength(left.length + 1)
  await again.close()
})

test('blocks hold any sizes, and every offset can be read from', async () => {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1 })
  const sizes = Array.from(
    { length: 300 },
    (_, i) => [0, 1, 30, 4_000, 4_041, 4_056, 65_000, 70_000][(i * 31 + (i >> 3)) % 8]!,
  )
  for (let i = 0; i < sizes.length; i += 1 + (i % 7))
    await log.append(
      't',
      sizes.slice(i, i + 1 + (i % 7)).map((size, j) => ({
        key: i % 2 ? 'é' : null,
        value: Buffer.alloc(size, i + j),
        timestampMs: i + j,
      })),
    )
  for (let from = 0; from < sizes.length; from++) {
    const { entries, nextOffset } = await log.read('t', 0, from, 3)
    const expected = sizes.slice(from, from + 3)
    expect(entries.map(({ value }) => value.length)).toEqual(expected)
    expect(entries.map(({ timestampMs }) => timestampMs)).toEqual(expected.map((_, i) => from + i))
    expect(entries.every(({ value, offset }) => value.every((byte) => byte === offset % 256))).toBe(true)
    expect(nextOffset).toBe(from + expected.length)
  }
  await log.close()
})

test('an append of another process wakes a consumer, and both processes share the offsets', async () => {
  const log = await openLmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1 })
  const abort = new AbortController()
  const writer = startWriter(folder, 20)
  const mine = Array.from({ length: 20 }, (_, i) =>
    log.append('t', [{ key: null, value: Buffer.from(`mine-${i}`), timestampMs: 1 }]),
  )
  const seen: number[] = []
  for await (const batch of log.consume('t', { from: 'beginning', signal: abort.signal })) {
    seen.push(...batch.entries.map((entry) => entry.offset))
    if (seen.length === 40) abort.abort()
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i))
  await Promise.all(mine)
  if (writer.exitCode === null) await once(writer, 'exit')
  await log.close()
})

test('kill -9 loses nothing that was acknowledged', async () => {
  const acknowledged: string[] = []
  for (let cycle = 0; cycle < 12; cycle++) {
    const writer = startWriter(folder, 1_000_000)
    const target = acknowledged.length + 5 + cycle * 7
    for await (const chunk of writer.stdout!.setEncoding('utf8')) {
      acknowledged.push(...(chunk as string).split('\n').filter((line) => /^\d+ \d+$/.test(line)))
      if (acknowledged.length >= target) break
    }
    writer.kill('SIGKILL')
    if (writer.signalCode === null) await once(writer, 'exit')
  }
  const log = await openLmdbEventLog({ folder })
  const { entries } = await log.read('t', 0, 0, 10_000_000)
  expect(entries.map((entry) => entry.offset)).toEqual(entries.map((_, i) => i))
  for (const line of acknowledged) {
    const [offset, value] = line.split(' ').map(Number) as [number, number]
    expect(Number(Buffer.from(entries[offset]!.value).toString().split('-')[1])).toBe(value)
  }
  expect(acknowledged.length).toBeGreaterThan(100)
  await log.close()
})

test('one flipped bit in a record is told: by readers and by an erasure; appends and the others go on', async () => {
  const values = Array.from({ length: 40 }, (_, i) => `value ${i} ${'x'.repeat(i % 7 === 0 ? 6_000 : 300)}`)
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1 })
  for (const value of values) await log.append('t', [{ key: 'k', value: Buffer.from(value), timestampMs: 1 }])
  await log.close()
  const file = join(folder, 'data.mdb')
  const whole = readFileSync(file)
  for (const [i, value] of values.entries()) {
    const bytes = Buffer.from(whole)
    // Pages that were replaced hold the value too.
    for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1))
      bytes[at + 7]! ^= 1 << (i % 8)
    writeFileSync(file, bytes)
    const again = new LmdbEventLog({ folder })
    await expect(again.read('t', 0, i, 1)).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    await expect(again.erase('t', () => false)).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    expect((await again.groups()).length).toBe(0)
    const [position] = await again.append('t', [{ key: 'k', value: Buffer.from('new'), timestampMs: 1 }])
    const { entries } = await again.read('t', 0, position!.offset, 10)
    expect(entries.map((entry) => Buffer.from(entry.value).toString())).toEqual(['new'])
    await again.close()
  }
})

/** A process that appends, and prints "offset value" after each acknowledgement. */
function startWriter(folder: string, count: number) {
  const source = `
    import { openLmdbEventLog } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))}
    const log = await openLmdbEventLog({ folder: ${JSON.stringify(folder)} })
    await log.ensureTopic('t', { partitionCount: 1 })
    await Promise.all([0, 1, 2, 3].map(async (lane) => {
      for (let i = lane; i < ${count}; i += 4) {
        const [position] = await log.append('t', [{ key: null, value: Buffer.from('theirs-' + i), timestampMs: 1 }])
        process.stdout.write(position.offset + ' ' + i + '\\n')
      }
    }))
    await log.close()`
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function allOf(log: LmdbEventLog): Promise<LogEntry[]> {
  const { partitions } = await log.topic('t')
  const batches = await Promise.all(partitions.map(({ partition }) => log.read('t', partition, 0, 1_000_000)))
  return batches.flatMap(({ entries }) => entries)
}
