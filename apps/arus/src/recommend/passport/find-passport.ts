import type { EventLog } from '@arus/event-log'
import type { ExposureLog } from './exposure-log.ts'
import type { Passport } from './passport.ts'
import { readPassport } from './passport-text.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** How far the log's order may differ from the order of the ids' times. */
const DISORDER_MS = 10_000
const PAGE_SIZE = 500
/** Entries read per partition at most, from where the answer should be. */
const SCAN_LIMIT = 200_000

export interface PassportSearch {
  readonly log: Pick<EventLog, 'topic' | 'read'>
  readonly topic: string
  readonly waiting: Pick<ExposureLog, 'waiting'>
}

/**
 * The passport of an answer given at any time, or null. A UUIDv7 carries its time, and the log is in order of time
 * within seconds, so the place is found by bisection in each partition: no index is kept.
 */
export async function findPassport(
  search: PassportSearch,
  recommendationId: string,
): Promise<Passport | null> {
  const id = recommendationId.toLowerCase()
  if (!UUID_V7.test(id)) return null
  const waiting = search.waiting.waiting(id)
  if (waiting !== undefined) return waiting
  const madeAtMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  const { partitions } = await search.log.topic(search.topic)
  for (const { partition, startOffset, endOffset } of partitions) {
    const from = await firstOffsetAt(search, partition, {
      startOffset,
      endOffset,
      atMs: madeAtMs - DISORDER_MS,
    })
    const found = await scan(search, partition, { from, untilMs: madeAtMs + DISORDER_MS, id })
    if (found !== null) return found
  }
  return null
}

async function firstOffsetAt(
  { log, topic }: PassportSearch,
  partition: number,
  range: { readonly startOffset: number; readonly endOffset: number; readonly atMs: number },
): Promise<number> {
  let low = range.startOffset
  let high = range.endOffset
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const entry = (await log.read(topic, partition, middle, 1)).entries[0]
    if (entry === undefined || entry.timestampMs >= range.atMs) high = middle
    else low = entry.offset + 1
  }
  return low
}

async function scan(
  { log, topic }: PassportSearch,
  partition: number,
  range: { readonly from: number; readonly untilMs: number; readonly id: string },
): Promise<Passport | null> {
  const needle = Buffer.from(range.id)
  let offset = range.from
  for (let read = 0; read < SCAN_LIMIT; ) {
    const { entries, nextOffset } = await log.read(topic, partition, offset, PAGE_SIZE)
    for (const { value } of entries) {
      if (Buffer.from(value.buffer, value.byteOffset, value.byteLength).indexOf(needle) < 0) continue
      const passport = readPassport(new TextDecoder().decode(value))
      if (passport.recommendation_id === range.id) return passport
    }
    const last = entries.at(-1)
    if (last === undefined || last.timestampMs > range.untilMs) return null
    read += entries.length
    offset = nextOffset
  }
  return null
}
