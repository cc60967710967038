import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type LogBatch,
  type LogRecord,
  openLmdbEventLog,
  type RecordPosition,
  type TopicInfo,
} from '@arus/event-log'
import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import { ExposureLog } from './exposure-log.ts'
import { findPassport } from './find-passport.ts'
import type { Passport } from './passport.ts'

/** A log of several partitions in memory, which can be held up and can fail. */
class MemoryLog {
  readonly partitions: LogRecord[][]
  isFailing = false
  readCount = 0
  #gate: PromiseWithResolvers<void> | null = null

  constructor(partitionCount: number) {
    this.partitions = Array.from({ length: partitionCount }, () => [])
  }

  hold(): void {
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = null
  }

  async append(_topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    await this.#gate?.promise
    if (this.isFailing) throw new TypeError('disk full')
    return records.map((record) => {
      const partition =
        Buffer.from(record.key ?? '').reduce((sum, byte) => sum + byte, 0) % this.partitions.length
      const offset = this.partitions[partition]?.push(record) ?? 0
      return { partition, offset: offset - 1 }
    })
  }

  async topic(topic: string): Promise<TopicInfo> {
    return {
      topic,
      sizeBytes: 0,
      partitions: this.partitions.map((records, partition) => ({
        partition,
        startOffset: 0,
        endOffset: records.length,
        newestTimestampMs: records.at(-1)?.timestampMs ?? null,
      })),
    }
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    this.readCount += 1
    const records = this.partitions[partition]?.slice(fromOffset, fromOffset + maxRecords) ?? []
    const entries = records.map((record, i) => ({ ...record, offset: fromOffset + i }))
    return { topic, partition, entries, nextOffset: fromOffset + entries.length, lost: 0 }
  }
}

function passportAt(ms: number, user = 'ann'): Passport {
  return {
    recommendation_id: v7({ msecs: ms }),
    user_id: user,
    session_id: null,
    scenario: 'for_you',
    generated_at: ms,
    fallback: null,
    took_ms: 1,
    experiments: [],
    events: [],
    earlier_events: [],
    session_event_count: 0,
    request: null,
    parts: null,
    model: null,
    retrievers: [],
    filters: [],
    result: [],
  }
}

const START_MS = Date.UTC(2026, 0, 1)

describe('exposure log', () => {
  test('writes what was added, in order, before it is closed', async () => {
    const log = new MemoryLog(1)
    const exposures = new ExposureLog({ log, topic: 'recommendations', batchLimit: 7 })
    const passports = Array.from({ length: 50 }, (_, i) => passportAt(START_MS + i))
    for (const passport of passports) exposures.add(passport)
    await exposures.close()
    const written = log.partitions[0]?.map(({ value }) => JSON.parse(new TextDecoder().decode(value)))
    expect(written).toEqual(passports)
    expect(exposures).toMatchObject({ writtenCount: 50, droppedCount: 0 })
    exposures.add(passportAt(START_MS))
    expect(exposures.droppedCount).toBe(1)
  })

  test('drops and counts when the log is slower than the answers', async () => {
    const log = new MemoryLog(1)
    log.hold()
    const exposures = new ExposureLog({ log, topic: 'recommendations', queueLimit: 10 })
    for (let i = 0; i < 25; i++) exposures.add(passportAt(START_MS + i))
    expect(exposures.droppedCount).toBe(15)
    log.release()
    await exposures.close()
    expect(exposures.writtenCount).toBe(10)
  })

  test('a log that fails is told and costs only its batch', async () => {
    const log = new MemoryLog(1)
    const faults: unknown[] = []
    const exposures = new ExposureLog({
      log,
      topic: 'recommendations',
      onFault: (error) => faults.push(error),
    })
    log.isFailing = true
    exposures.add(passportAt(START_MS))
    await exposures.flush()
    log.isFailing = false
    exposures.add(passportAt(START_MS + 1))
    await exposures.close()
    expect(faults).toHaveLength(1)
    expect(exposures).toMatchObject({ writtenCount: 1, droppedCount: 1 })
  })
})

describe('finding a passport', () => {
  test('by its id alone, in any partition, without reading the whole log', async () => {
    const log = new MemoryLog(3)
    const exposures = new ExposureLog({ log, topic: 'recommendations' })
    const passports = Array.from({ length: 6_000 }, (_, i) => passportAt(START_MS + i * 1_000, `user${i}`))
    for (const passport of passports) exposures.add(passport)
    await exposures.close()
    const search = { log, topic: 'recommendations', waiting: exposures }
    for (const passport of [passports[0], passports[2_345], passports[5_999]]) {
      log.readCount = 0
      expect(await findPassport(search, passport?.recommendation_id ?? '')).toEqual(passport)
      expect(log.readCount).toBeLessThan(60)
    }
    expect(await findPassport(search, v7({ msecs: START_MS + 5_000 }))).toBeNull()
    expect(await findPassport(search, v7({ msecs: START_MS - 9e8 }))).toBeNull()
    expect(await findPassport(search, 'no such id')).toBeNull()
  })

  test('while it still waits to be written', async () => {
    const log = new MemoryLog(1)
    const exposures = new ExposureLog({ log, topic: 'recommendations' })
    const passport = passportAt(START_MS)
    exposures.add(passport)
    const search = { log, topic: 'recommendations', waiting: exposures }
    expect(await findPassport(search, passport.recommendation_id)).toEqual(passport)
    await exposures.close()
  })
})

test('passports are found again in the embedded log after it was closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-exposures-'))
  const topic = 'recommendations'
  const passports = Array.from({ length: 2_000 }, (_, i) => passportAt(START_MS + i * 250, `user${i % 50}`))
  const writing = await openLmdbEventLog({ folder })
  await writing.ensureTopic(topic, { partitionCount: 4 })
  const exposures = new ExposureLog({ log: writing, topic })
  for (const passport of passports) exposures.add(passport)
  await exposures.close()
  await writing.close()

  const log = await openLmdbEventLog({ folder })
  const search = { log, topic, waiting: exposures }
  for (const passport of [passports[0], passports[777], passports[1_999]]) {
    expect(await findPassport(search, passport?.recommendation_id ?? '')).toEqual(passport)
  }
  expect(await findPassport(search, v7({ msecs: START_MS + 100_000 }))).toBeNull()
  await log.close()
  rmSync(folder, { recursive: true, force: true })
})
