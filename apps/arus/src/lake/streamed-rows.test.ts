import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EVENTS } from './bronze-columns.ts'
import { stageDecoded } from './bronze-routes.ts'
import { streamsIn } from './streamed-rows.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake({ partitionCount: 1 })
})
afterEach(() => shop.close())

/** Commits events of the log as Spark's sink does: with the number of a batch, and without positions. */
async function stream(id: string, batch: number, offsets: readonly number[]) {
  const rows = offsets.map((offset) => {
    const body: Record<string, unknown> = { ...testEvent({ event_id: `e${offset}` }) }
    return { body, raw: '', topic: TEST_TOPICS.events, partition: 0, offset, timestampMs: 0 }
  })
  const connection = await shop.lake.duckdb.connect()
  const select = await stageDecoded(connection, EVENTS, rows)
  const transactions = [{ appId: id, version: batch }]
  const { kind } = await shop.lake.write('bronze.events', select, {
    mode: 'append',
    transactions,
    connection,
  })
  connection.closeSync()
  return kind
}

const copied = () => shop.rows('SELECT event_id, log_offset FROM {bronze.events} ORDER BY ALL')
const events = (...numbers: readonly number[]) => numbers.map((n) => testEvent({ event_id: `e${n}` }))

test('what a stream wrote beyond the positions is not copied again, what it left out is, and the stream is ended', async () => {
  const id = randomUUID()
  await shop.send(events(0, 1))
  await shop.flush()
  await shop.send(events(2, 3, 4, 5))
  expect(await stream(id, 0, [2])).toBe('committed')
  expect(await stream(id, 1, [4])).toBe('committed')
  await shop.flush()
  expect(await copied()).toEqual([0, 1, 2, 3, 4, 5].map((n) => [`e${n}`, n]))
  const snapshot = await (await shop.lake.table('bronze.events')).snapshot()
  expect(streamsIn(snapshot)).toEqual({ open: [], endedCount: 1 })
  // It takes its next batch for one that it wrote before.
  expect(await stream(id, 2, [5])).toBe('skipped')
  await shop.send(events(6))
  await shop.flush()
  expect(await copied()).toHaveLength(7)
})

test('a row of another topic at the same place is not taken for one of this topic', async () => {
  await shop.send(events(0, 1))
  expect(await stream(randomUUID(), 0, [1])).toBe('committed')
  // As after KAFKA_TOPIC was given: rows of the topic before stand at the same offsets.
  const other = await shop.lake.duckdb.connect()
  const { sql } = await shop.lake.relation('bronze.events')
  await shop.lake.write(
    'bronze.events',
    `SELECT * REPLACE ('other' AS event_id, 0 AS log_offset) FROM ${sql}`,
    {
      mode: 'append',
      connection: other,
    },
  )
  other.closeSync()
  await shop.flush()
  expect(await copied()).toEqual([
    ['e0', 0],
    ['e1', 1],
    ['other', 0],
  ])
})
