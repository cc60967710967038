import type { Catalogue } from '../catalogue/catalogue.ts'
import { shopProducts } from '../events/shop-products.ts'
import { ShopperSimulation } from '../events/shoppers.ts'
import type { Server } from './server.ts'

export interface LiveShoppersOptions {
  readonly catalogue: Catalogue
  readonly server: Server
  /** Events per second. */
  readonly rate: number
  readonly seed: number
  readonly signal: AbortSignal
}

const BATCH_EVENTS = 5_000
const USERS = 2_000
const TICK_MS = 500

/** Lets simulated shoppers go on shopping, at a steady rate, until the signal aborts. */
export async function keepShopping({
  catalogue,
  server,
  rate,
  seed,
  signal,
}: LiveShoppersOptions): Promise<void> {
  if (rate <= 0) return
  const products = shopProducts(catalogue)
  const run = Date.now().toString(36)
  let waiting: { next(): IteratorResult<object> } | null = null
  let owed = 0
  for (let round = 0; !signal.aborted; ) {
    owed += (rate * TICK_MS) / 1000
    const due: object[] = []
    while (due.length < Math.floor(owed)) {
      waiting ??= simulation(products, { seed, runId: `${run}-${round++}` }).events()
      const next = waiting.next()
      if (next.done) waiting = null
      // They shop now, whenever the simulation placed them.
      else due.push({ ...next.value, ts: Date.now() })
    }
    owed -= due.length
    if (due.length > 0) await server.ingest.accept(due)
    await pause(TICK_MS, signal)
  }
}

function simulation(
  products: ReturnType<typeof shopProducts>,
  { seed, runId }: { seed: number; runId: string },
): ShopperSimulation {
  const endMs = Date.now()
  return new ShopperSimulation({
    products,
    userCount: USERS,
    eventCount: BATCH_EVENTS,
    startMs: endMs - 3_600_000,
    endMs,
    seed,
    runId,
  })
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}
