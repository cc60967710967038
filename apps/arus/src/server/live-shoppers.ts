import type { Catalogue } from '../catalogue/catalogue.ts'
import { type SeededRandom, seededRandom } from '../catalogue/seeded-random.ts'
import { shopProducts } from '../events/shop-products.ts'
import { type RawEvent, type ShopProduct, ShopperSimulation } from '../events/shoppers.ts'
import { pause } from '../pause.ts'
import type { Server } from './server.ts'

export interface LiveShoppersOptions {
  readonly catalogue: Catalogue
  readonly server: Pick<Server, 'ingest' | 'recommender'>
  /** Events per second, without what comes of recommendations. */
  readonly rate: number
  readonly seed: number
  readonly signal: AbortSignal
}

const BATCH_EVENTS = 5_000
const USERS = 2_000
const TICK_MS = 500
/** Share of looks beside which the shopper sees recommendations. */
const P_SHOWN = 0.4
const SHOWN = 8
/** A product is clicked so often by anybody, and so much more often by one whose taste it is. */
const P_CLICK = 0.01
const P_CLICK_LIKED = 0.25
const P_PURCHASE = 0.3

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
  const onlookers = new Onlookers(products, seed)
  let waiting: Generator<RawEvent> | null = null
  let owed = 0
  for (let round = 0; !signal.aborted; ) {
    owed += (rate * TICK_MS) / 1000
    const due: RawEvent[] = []
    while (due.length < Math.floor(owed)) {
      waiting ??= simulation(products, { seed, runId: `${run}-${round++}` }).events()
      const next = waiting.next()
      if (next.done) waiting = null
      // They shop now, whenever the simulation placed them.
      else due.push({ ...next.value, ts: Date.now() })
    }
    owed -= due.length
    if (due.length > 0) await server.ingest.accept(due)
    for (const event of due) {
      const reactions = await onlookers.reactionsTo(event, server.recommender)
      if (reactions.length > 0) await server.ingest.accept(reactions)
    }
    await pause(TICK_MS, signal)
  }
}

/** Shoppers who are shown recommendations beside what they look at, and click and buy by their hidden taste. */
class Onlookers {
  readonly #simulation: ShopperSimulation
  readonly #products: ReadonlyMap<string, ShopProduct>
  readonly #random: SeededRandom

  constructor(products: readonly ShopProduct[], seed: number) {
    this.#simulation = simulation(products, { seed, runId: 'onlookers' })
    this.#products = new Map(products.map((product) => [product.product_id, product]))
    this.#random = seededRandom(seed + 31)
  }

  async reactionsTo(event: RawEvent, recommender: Server['recommender']): Promise<RawEvent[]> {
    if (event.action !== 'view' || this.#random.next() >= P_SHOWN) return []
    const { user_id, session_id } = event
    const { recommendation_id, recommendations } = await recommender.forUser(user_id, {
      limit: SHOWN,
      sessionId: session_id,
    })
    if (recommendations.length === 0) return []
    const events: RawEvent[] = []
    const add = (fields: Pick<RawEvent, 'action'> & Partial<RawEvent>) =>
      events.push({
        event_id: `${event.event_id}-shown-${events.length}`,
        user_id,
        session_id,
        recommendation_id,
        ...fields,
        ts: Date.now(),
      })
    add({ action: 'recommendation_viewed' })
    const clicked = recommendations.find(({ product_id }) => this.#isClicked(user_id, product_id))
    const product = clicked === undefined ? undefined : this.#products.get(clicked.product_id)
    if (clicked === undefined || product === undefined) return events
    const { product_id, price } = product
    add({ action: 'recommendation_clicked', product_id, position: clicked.rank })
    if (this.#random.next() < P_PURCHASE)
      add({ action: 'purchase', product_id, price, quantity: 1, order_id: `${event.event_id}-order` })
    return events
  }

  #isClicked(userId: string, productId: string): boolean {
    const product = this.#products.get(productId)
    if (product === undefined) return false
    return this.#random.next() < P_CLICK + P_CLICK_LIKED * this.#simulation.tasteOf(userId, product)
  }
}

function simulation(
  products: readonly ShopProduct[],
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
