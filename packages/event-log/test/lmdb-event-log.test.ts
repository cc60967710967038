import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LmdbEventLog, murmur2, openLmdbEventLog, partitionOf } from '../src/index.ts'
import { eventLogContract } from './event-log-contract.ts'

eventLogContract('LMDB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
  return {
    open: () => openLmdbEventLog({ folder }),
    destroy: async () => rmSync(folder, { recursive: true }),
  }
})

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

test('what is past the retention goes, and offsets stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
  const log = new LmdbEventLog({ folder, now: () => 10_000 })
  await log.ensureTopic('t', { partitionCount: 1, retentionMs: 5_000 })
  await log.append(
    't',
    [1_000, 4_999, 5_000, 9_000].map((timestampMs) => ({ key: null, value: Buffer.from('x'), timestampMs })),
  )
  await log.enforceRetention()
  const { partitions } = await log.topic('t')
  expect(partitions).toEqual([{ partition: 0, startOffset: 2, endOffset: 4, newestTimestampMs: 9_000 }])
  expect((await log.read('t', 0, 0, 10)).entries.map((entry) => entry.offset)).toEqual([2, 3])
  await log.close()
  rmSync(folder, { recursive: true })
})

test('an append of another process wakes a consumer, and both processes share the offsets', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
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
  rmSync(folder, { recursive: true })
})

test('kill -9 loses nothing that was acknowledged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-log-'))
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
  rmSync(folder, { recursive: true })
}, 60_000)

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
