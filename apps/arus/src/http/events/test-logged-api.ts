/** The API over the embedded event log, for tests of what arrives in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import type { ShopEvent } from '../../events/event.ts'
import { createIngest } from '../../events/log-ingest.ts'
import { topicNames } from '../../events/topics.ts'
import { openShop } from '../test-api.ts'

/** The API over a real log; `events` and `rejected` give what came since `skipPast`. */
export async function openLoggedApi() {
  const folder = mkdtempSync(join(tmpdir(), 'arus-events-'))
  const topics = topicNames('test')
  const log = await openLmdbEventLog({ folder })
  for (const topic of [topics.events, topics.rejected]) await log.ensureTopic(topic, { partitionCount: 1 })
  const now = Date.now
  const ingest = createIngest({ log, topics, isKnown: async (ids) => ids.map(() => false), now })
  const { app } = await openShop({ ingest: () => ingest, now })
  const from = { events: 0, rejected: 0 }
  const read = async (topic: 'events' | 'rejected') => {
    const { entries } = await log.read(topics[topic], 0, from[topic], 100_000)
    return entries.map(({ value }) => JSON.parse(Buffer.from(value).toString()))
  }
  return {
    app,
    events: async () => (await read('events')) as ShopEvent[],
    rejected: async () => (await read('rejected')) as { raw: string; pointer: string; reason: string }[],
    async skipPast() {
      from.events += (await read('events')).length
      from.rejected += (await read('rejected')).length
    },
    async close() {
      await app.close()
      await log.close()
      rmSync(folder, { recursive: true })
    },
  }
}
