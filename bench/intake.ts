import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../apps/arus/src/catalogue/seeded-random.ts'
import type { Ingest } from '../apps/arus/src/events/ingest.ts'
import { createIngest } from '../apps/arus/src/events/log-ingest.ts'
import { startLiveProcessor } from '../apps/arus/src/live/live-processor.ts'
import { openLmdbStateStore } from '../apps/arus/src/state/lmdb-state-store.ts'
import { openLmdbEventLog } from '../packages/event-log/src/index.ts'

const SENDERS = 16
const SHOPPERS = 2_000
const PRODUCTS = 100
const CATEGORIES = 50
const SECONDS = 5
const BATCH_SIZES = [1, 100]
const TOPICS = { events: 'events', rejected: 'rejected', recommendations: 'recommendations' }

/**
 * Events taken in without HTTP, one by one and in batches: ingest, log and live state in one process, as in the server. Prints
 * events/s, the time until a call is answered, and the CPU time of the process for each event.
 */
export async function benchIntake(): Promise<void> {
  console.log(`\nIntake without HTTP, ${SENDERS} senders, ${SHOPPERS} shoppers and ${PRODUCTS} products`)
  for (const batchSize of BATCH_SIZES) await measure(batchSize)
}

async function measure(batchSize: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-intake-'))
  const log = await openLmdbEventLog({ folder: join(folder, 'log') })
  const state = await openLmdbStateStore({ folder: join(folder, 'state') })
  try {
    for (const topic of [TOPICS.events, TOPICS.rejected]) await log.ensureTopic(topic, { partitionCount: 1 })
    const live = await startLiveProcessor({
      log,
      topic: TOPICS.events,
      rejectedTopic: TOPICS.rejected,
      state,
      now: Date.now,
      idempotencyWindowMs: 86_400_000,
      categoryOf: (product) => `category ${Number(product) % CATEGORIES}`,
    })
    const ingest = createIngest({ log, topics: TOPICS, isKnown: (ids) => live.isKnown(ids), now: Date.now })
    await send(ingest, { batchSize, seconds: 1 })
    const before = process.cpuUsage()
    const { eventCount, seconds, latenciesMs } = await send(ingest, { batchSize, seconds: SECONDS })
    const [partition] = (await log.topic(TOPICS.events)).partitions
    await live.waitFor(0, partition!.endOffset - 1, 60_000)
    const { user, system } = process.cpuUsage(before)
    const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)]?.toFixed(1)
    console.log(
      `  batches of ${String(batchSize).padStart(3)}: ${Math.round(eventCount / seconds).toLocaleString('en')} events/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${((user + system) / eventCount).toFixed(1)} µs of CPU for each event (${(system / eventCount).toFixed(1)} of the system's)`,
    )
    await live.stop()
  } finally {
    await state.close()
    await log.close()
    rmSync(folder, { recursive: true })
  }
}

async function send(
  ingest: Ingest,
  { batchSize, seconds }: { readonly batchSize: number; readonly seconds: number },
): Promise<{ eventCount: number; seconds: number; latenciesMs: number[] }> {
  const random = seededRandom(1)
  const startedMs = performance.now()
  const latenciesMs: number[] = []
  let eventCount = 0
  const one = () => ({
    event_id: `${startedMs}-${eventCount++}`,
    user_id: String(1 + Math.floor(random.next() * SHOPPERS)),
    action: 'view',
    product_id: String(Math.floor(random.next() * PRODUCTS)),
  })
  const sender = async () => {
    while (performance.now() < startedMs + seconds * 1000) {
      const sentMs = performance.now()
      await ingest.accept(Array.from({ length: batchSize }, one))
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  latenciesMs.sort((a, b) => a - b)
  return { eventCount, seconds: (performance.now() - startedMs) / 1000, latenciesMs }
}
