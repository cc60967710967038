import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../apps/arus/src/catalogue/seeded-random.ts'
import type { ShopEvent } from '../apps/arus/src/events/event.ts'
import { startLiveProcessor } from '../apps/arus/src/live/live-processor.ts'
import { openLmdbStateStore } from '../apps/arus/src/state/lmdb-state-store.ts'
import { type EventLog, openLmdbEventLog } from '../packages/event-log/src/index.ts'

const TOPIC = 'events'
const PARTITIONS = 4
const SHOPPERS = 5_000
const PRODUCTS = 20_000
const CATEGORIES = 50
const ACTIONS = ['view', 'view', 'view', 'click', 'add_to_cart', 'purchase']
const APPEND = 5_000
const ROUNDS = 3

/** How many events a second live state takes in from a log it is behind on, and the CPU time of each. */
export async function benchLive(options: { readonly eventCount: number }): Promise<void> {
  const { eventCount } = options
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-live-'))
  const log = await openLmdbEventLog({ folder: join(folder, 'log') })
  try {
    await fill(log, eventCount)
    console.log(
      `\nLive state, ${eventCount.toLocaleString('en')} events of ${SHOPPERS} shoppers and ${PRODUCTS} products`,
    )
    for (let round = 0; round < ROUNDS; round++) {
      const state = await openLmdbStateStore({ folder: join(folder, `state-${round}`) })
      const startedMs = performance.now()
      const before = process.cpuUsage()
      const live = await startLiveProcessor({
        log,
        topic: TOPIC,
        rejectedTopic: TOPIC,
        state,
        now: Date.now,
        idempotencyWindowMs: 86_400_000,
        categoryOf: (product) => `category ${Number(product.slice(1)) % CATEGORIES}`,
      })
      const seconds = (performance.now() - startedMs) / 1000
      const { user, system } = process.cpuUsage(before)
      console.log(
        `  caught up: ${Math.round(eventCount / seconds).toLocaleString('en')} events/s, ${((user + system) / eventCount).toFixed(1)} µs CPU each`,
      )
      await live.stop()
      await state.close()
    }
  } finally {
    await log.close()
    rmSync(folder, { recursive: true })
  }
}

/** The square of a random number: some shoppers and products come up far more often than others. */
async function fill(log: EventLog, eventCount: number): Promise<void> {
  await log.ensureTopic(TOPIC, { partitionCount: PARTITIONS })
  const random = seededRandom(1).next
  const startMs = Date.now() - 3_600_000
  const one = (i: number): ShopEvent =>
    ({
      event_id: `event-${i}`,
      user_id: String(Math.floor(random() ** 2 * SHOPPERS)),
      session_id: null,
      anonymous_id: null,
      action: ACTIONS[Math.floor(random() * ACTIONS.length)]!,
      product_id: `p${Math.floor(random() ** 2 * PRODUCTS)}`,
      quantity: 1,
      price: 10,
      order_id: null,
      recommendation_id: null,
      position: null,
      query: null,
      properties: null,
      ts: startMs + Math.floor((i / eventCount) * 3_600_000),
      received_at: startMs + Math.floor((i / eventCount) * 3_600_000),
    }) as unknown as ShopEvent
  for (let from = 0; from < eventCount; from += APPEND) {
    const events = Array.from({ length: Math.min(APPEND, eventCount - from) }, (_, i) => one(from + i))
    await log.append(
      TOPIC,
      events.map((event) => ({
        key: event.user_id,
        value: Buffer.from(JSON.stringify(event)),
        timestampMs: event.received_at,
      })),
    )
  }
}
