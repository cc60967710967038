import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog, type TopicOptions } from '@arus/event-log'
import type { ShopEvent } from '../events/event.ts'
import { jsonValue } from '../query/json-value.ts'
import { type DuckDb, openDuckDb } from './duckdb.ts'
import { type Lake, openLake } from './lake.ts'
import { startLakeWriter } from './lake-writer.ts'

export const TEST_TOPICS = { events: 'events', rejected: 'rejected', recommendations: 'recommendations' }

/** A real lake and a real log in a folder of their own, for tests. */
export interface TestLake {
  readonly folder: string
  readonly lakeRoot: string
  readonly duckdb: DuckDb
  readonly lake: Lake
  readonly log: EventLog
  send(events: readonly ShopEvent[]): Promise<void>
  /** Copies the log into bronze. */
  flush(): Promise<void>
  /** Rows of a query in which `{table}` stands for a table's relation. */
  rows(sql: string, lake?: Lake): Promise<unknown[][]>
  close(): Promise<void>
}

export async function openTestLake(topic: TopicOptions = { partitionCount: 2 }): Promise<TestLake> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-lake-'))
  const duckdb = await openDuckDb({
    temporaryFolder: join(folder, 'tmp'),
    memoryBytes: 512 * 1024 * 1024,
  })
  const lakeRoot = join(folder, 'lake')
  const lake = openLake({ root: lakeRoot, duckdb })
  const log = await openLmdbEventLog({ folder: join(folder, 'log') })
  for (const name of Object.values(TEST_TOPICS)) await log.ensureTopic(name, topic)
  return {
    folder,
    lakeRoot,
    duckdb,
    lake,
    log,
    async send(events) {
      const records = events.map((body) => ({
        key: body.user_id ?? body.session_id,
        value: Buffer.from(JSON.stringify(body)),
        timestampMs: body.received_at,
      }))
      await log.append(TEST_TOPICS.events, records)
    },
    async flush() {
      await startLakeWriter({ log, lake, topics: TEST_TOPICS, intervalMs: 3_600_000 }).stop()
    },
    rows: (sql, other = lake) => rowsOf(other, sql),
    async close() {
      await log.close()
      await lake.close()
      await duckdb.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** An event of a shopper called ani, with what a test cares about. */
export function testEvent(fields: Partial<ShopEvent> & Pick<ShopEvent, 'event_id'>): ShopEvent {
  return {
    user_id: 'ani',
    session_id: null,
    anonymous_id: null,
    action: 'view',
    product_id: 'P1',
    ts: Date.UTC(2026, 2, 10),
    received_at: Date.UTC(2026, 2, 10),
    price: null,
    quantity: null,
    order_id: null,
    recommendation_id: null,
    position: null,
    query: null,
    properties: null,
    ...fields,
  }
}

/** Rows of a query in which `{table}` stands for a table's relation. */
export async function rowsOf(lake: Lake, sql: string): Promise<unknown[][]> {
  let text = sql
  for (const [whole, name] of sql.matchAll(/\{(\w+\.\w+)\}/g)) {
    text = text.replace(whole, (await lake.relation(name as Parameters<Lake['relation']>[0])).sql)
  }
  const connection = await lake.duckdb.connect()
  try {
    return (await connection.runAndReadAll(text)).getRows().map((row) => row.map(jsonValue))
  } finally {
    connection.closeSync()
  }
}
