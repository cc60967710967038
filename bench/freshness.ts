/** How soon what was acknowledged is seen: by `/stream/analytics`, and in the shopper's next answer. */
import type { LiveAnalyticsBody, Recommendation } from '../apps/arus/src/api-schema/index.ts'
import { withServer } from './running-server.ts'
import { BATCH_SIZE, send, sendSteadily } from './steady-events.ts'

export interface FreshnessOptions {
  readonly productCount: number
  /** Rate of the load, events per second. */
  readonly eventsPerSecond: number
  readonly seconds: number
  readonly port: number
}

/** Batches sent and probes made before the clock starts, so that code is warm. */
const WARM_UP_BATCHES = 50
const PROBE_INTERVAL_MS = 100
const DEADLINE_MS = 10_000

/** Events in all, and when that was known. */
interface Counted {
  readonly total: number
  readonly atMs: number
}

/**
 * Starts a generated shop of its own, sends events at a steady rate from one sender, and measures from the moment a
 * batch is acknowledged to the first stream message that counts it, and from the moment a new shopper's first event is
 * acknowledged to the first answer that rests on it (asked for again and again, so it includes the answer itself).
 */
export async function benchFreshness(options: FreshnessOptions): Promise<void> {
  await withServer('freshness', options, async ({ baseUrl, productIds }) => {
    const streamMs = await streamDelays(baseUrl, productIds, options)
    const answerMs = await answerDelays(baseUrl, productIds, options)
    print(`Freshness at ${options.eventsPerSecond} events/s, ${options.productCount} products`, [
      ['acknowledged → /stream/analytics', streamMs, 'p99 ≤ 1,000 ms, then ≤ 200 ms'],
      ['acknowledged → changed recommendation', answerMs, 'p99 ≤ 50 ms, then ≤ 10 ms'],
    ])
  })
}

/** The load, with what warms up before it. */
function loadOf({ eventsPerSecond, seconds }: FreshnessOptions) {
  return { eventsPerSecond, seconds: seconds + (WARM_UP_BATCHES * BATCH_SIZE) / eventsPerSecond }
}

/** Per batch: from its answer to the first message that counts it. */
async function streamDelays(
  baseUrl: string,
  products: readonly string[],
  options: FreshnessOptions,
): Promise<number[]> {
  const stop = new AbortController()
  const counted: Counted[] = []
  const watching = watchAnalytics(baseUrl, counted, stop.signal)
  const { events_total } = (await (await fetch(`${baseUrl}/analytics`)).json()) as LiveAnalyticsBody
  const acknowledged: Counted[] = []
  let total = events_total
  await sendSteadily(baseUrl, products, loadOf(options), () => {
    total += BATCH_SIZE
    acknowledged.push({ total, atMs: performance.now() })
  })
  await until(async () => (counted.at(-1)?.total ?? 0) >= total)
  stop.abort()
  await watching
  return acknowledged.slice(WARM_UP_BATCHES).map((batch) => {
    const seen = counted.find((message) => message.total >= batch.total)
    return Math.max(0, (seen?.atMs ?? Number.POSITIVE_INFINITY) - batch.atMs)
  })
}

/** Per new shopper, under the same load: from the answer to their first event to the first answer that rests on it. */
async function answerDelays(
  baseUrl: string,
  products: readonly string[],
  options: FreshnessOptions,
): Promise<number[]> {
  const delays: number[] = []
  let isLoaded = true
  const loading = sendSteadily(baseUrl, products, loadOf(options), () => {}).finally(() => {
    isLoaded = false
  })
  for (let probe = 0; isLoaded; probe++) {
    const user = `probe-${probe}`
    await send(baseUrl, [{ user_id: user, action: 'view', product_id: products[probe % products.length] }])
    const acknowledgedMs = performance.now()
    await until(async () => restsOnEvents(baseUrl, user))
    delays.push(performance.now() - acknowledgedMs)
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS))
  }
  await loading
  return delays.slice(WARM_UP_BATCHES)
}

/** Somebody without events is answered by what trends or is popular. */
async function restsOnEvents(baseUrl: string, user: string): Promise<boolean> {
  const answer = await fetch(`${baseUrl}/recommendations/user/${user}?limit=5`)
  const { fallback } = (await answer.json()) as Recommendation
  return fallback === null || fallback === 'session'
}

/** Notes when each count was told. */
async function watchAnalytics(baseUrl: string, counted: Counted[], signal: AbortSignal): Promise<void> {
  const decoder = new TextDecoder()
  let buffer = ''
  try {
    const response = await fetch(`${baseUrl}/stream/analytics`, { signal })
    for await (const chunk of response.body ?? []) {
      const atMs = performance.now()
      const blocks = (buffer + decoder.decode(chunk, { stream: true })).split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data !== undefined)
          counted.push({ total: (JSON.parse(data) as LiveAnalyticsBody).events_total, atMs })
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within ${DEADLINE_MS} ms: ${isTrue}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function print(title: string, rows: readonly (readonly [string, readonly number[], string])[]): void {
  console.log(`\n${title}`)
  for (const [what, delays, budget] of rows) {
    const sorted = [...delays].sort((a, b) => a - b)
    const at = (share: number) =>
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1)
    console.log(
      `  ${what.padEnd(40)} p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms of ${sorted.length}  (budget: ${budget})`,
    )
  }
}
