import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import { openCatalogue } from '../../src/catalogue/folder-catalogue.ts'
import { seededRandom } from '../../src/catalogue/seeded-random.ts'
import type { ShopEvent } from '../../src/events/event.ts'
import { shopProducts } from '../../src/events/shop-products.ts'
import { type RawEvent, type ShopProduct, ShopperSimulation } from '../../src/events/shoppers.ts'
import type { RecommendationAnswer, TrendingAnswer } from '../../src/recommend/recommendation.ts'

/** A server that has had the generated shop's first history. */
export interface TasteSource {
  readonly baseUrl: string
  readonly dataFolder: string
  /** Of `arus start --seed`. */
  readonly seed: number
  /** Shoppers asked for at most, of each sort. */
  readonly shoppers: number
}

/** Mean chance of a click on a product shown, by who chose it, and how many times the others' the system's is. */
export interface TasteReport {
  readonly shoppers: number
  readonly clickThrough: Readonly<Record<Chooser, number>>
  /** With the bounds of the 95 % interval. */
  readonly timesAsMany: Readonly<Record<Other, Ratio>>
}

export interface Ratio {
  readonly ratio: number
  readonly low: number
  readonly high: number
}

const OTHERS = ['popular', 'trending', 'random'] as const
type Other = (typeof OTHERS)[number]
type Chooser = 'system' | Other

/** Shoppers of the first history; those numbered above are new to the shop. */
const KNOWN_SHOPPERS = 2_000
const SHOWN = 10
/** As the simulated shoppers click: seldom anything, often what is to their taste. */
const P_CLICK = 0.01
const P_CLICK_LIKED = 0.25
const CLICKS_OF_NEW = 3
const RESAMPLES = 2_000

/**
 * Shows shoppers whose hidden taste is known what the system, popularity, trends and chance choose, ten products each and none that the
 * shopper has seen, and compares the chance that they click. Known shoppers are asked for after their history, new ones after their
 * first three clicks.
 */
export async function measureTaste(source: TasteSource): Promise<Record<'known' | 'new', TasteReport>> {
  const shop = await Shop.open(source)
  const known = shop.knownShoppers(source.shoppers)
  const fresh = await shop.introduce(source.shoppers)
  return { known: await shop.compare(known), new: await shop.compare(fresh) }
}

class Shop {
  readonly #baseUrl: string
  readonly #simulation: ShopperSimulation
  readonly #products: ReadonlyMap<string, ShopProduct>
  readonly #ids: readonly string[]
  readonly #popular: readonly string[]
  readonly #seen: Map<string, Set<string>>
  readonly #seed: number

  private constructor(
    { baseUrl, seed }: TasteSource,
    products: readonly ShopProduct[],
    events: readonly ShopEvent[],
  ) {
    this.#baseUrl = baseUrl
    this.#seed = seed
    this.#products = new Map(products.map((product) => [product.product_id, product]))
    this.#ids = [...this.#products.keys()]
    this.#simulation = simulationOf(products, seed)
    const counts = new Map<string, number>()
    this.#seen = new Map()
    for (const { user_id, product_id } of events) {
      if (!user_id || !product_id) continue
      counts.set(product_id, (counts.get(product_id) ?? 0) + 1)
      this.#see(user_id, product_id)
    }
    this.#popular = [...counts].sort(([, a], [, b]) => b - a).map(([id]) => id)
  }

  static async open(source: TasteSource): Promise<Shop> {
    const catalogue = await openCatalogue({ folder: join(source.dataFolder, 'shop', 'catalogue') })
    const log = await openLmdbEventLog({ folder: join(source.dataFolder, 'shop', 'log') })
    try {
      const { partitions } = await log.topic('shop.events')
      const events: ShopEvent[] = []
      for (const { partition, startOffset, endOffset } of partitions) {
        const { entries } = await log.read('shop.events', partition, startOffset, endOffset - startOffset)
        events.push(...entries.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as ShopEvent))
      }
      return new Shop(source, shopProducts(catalogue), events)
    } finally {
      await log.close()
      await catalogue.close()
    }
  }

  knownShoppers(count: number): string[] {
    return [...this.#seen.keys()].slice(0, count)
  }

  /** Shoppers nobody knew click three times; resolves when the shop answers them by what they did. */
  async introduce(count: number): Promise<string[]> {
    const clicks = new Map<string, RawEvent[]>()
    for (const event of this.#simulation.events()) {
      if (event.action !== 'click' || Number(event.user_id) <= KNOWN_SHOPPERS) continue
      const theirs = clicks.get(event.user_id) ?? []
      if (theirs.length < CLICKS_OF_NEW) clicks.set(event.user_id, [...theirs, event])
    }
    const ready = [...clicks].filter(([, theirs]) => theirs.length === CLICKS_OF_NEW).slice(0, count)
    for (const [user, theirs] of ready) {
      for (const { product_id } of theirs) this.#see(user, product_id!)
      await this.#send(theirs.map((event) => ({ ...event, ts: Date.now() })))
    }
    const users = ready.map(([user]) => user)
    const last = users.at(-1)
    while (last !== undefined && (await this.#ask(last)).fallback === 'trending') await pause()
    return users
  }

  async compare(users: readonly string[]): Promise<TasteReport> {
    const { trending } = (await this.#get('/recommendations/trending?limit=100')) as TrendingAnswer
    const trends = trending.map(({ product_id }) => product_id)
    const random = seededRandom(this.#seed + 7)
    const chances: Record<Chooser, number[]> = { system: [], popular: [], trending: [], random: [] }
    for (const user of users) {
      const { recommendations } = await this.#ask(user)
      const show = (chooser: Chooser, ids: Iterable<string>) =>
        chances[chooser].push(this.#chanceOf(user, ids))
      show(
        'system',
        recommendations.map(({ product_id }) => product_id),
      )
      show('popular', this.#unseen(user, this.#popular))
      show('trending', this.#unseen(user, trends))
      show(
        'random',
        Array.from({ length: SHOWN }, () => this.#ids[random.below(this.#ids.length)]!),
      )
    }
    const timesAsMany = OTHERS.map((other) => [other, ratioOf(chances.system, chances[other], this.#seed)])
    const clickThrough = Object.entries(chances).map(([chooser, values]) => [
      chooser,
      sum(values) / values.length,
    ])
    return {
      shoppers: users.length,
      clickThrough: Object.fromEntries(clickThrough) as TasteReport['clickThrough'],
      timesAsMany: Object.fromEntries(timesAsMany) as TasteReport['timesAsMany'],
    }
  }

  /** Mean over ten places; a place left empty is not clicked. */
  #chanceOf(user: string, ids: Iterable<string>): number {
    let clicks = 0
    for (const id of ids) {
      const product = this.#products.get(id)
      const liking = product === undefined ? 0 : this.#simulation.tasteOf(user, product)
      clicks += P_CLICK + P_CLICK_LIKED * liking
    }
    return clicks / SHOWN
  }

  #unseen(user: string, ids: readonly string[]): string[] {
    const seen = this.#seen.get(user)
    return ids.filter((id) => seen?.has(id) !== true).slice(0, SHOWN)
  }

  #see(user: string, product: string): void {
    const seen = this.#seen.get(user)
    if (seen === undefined) this.#seen.set(user, new Set([product]))
    else seen.add(product)
  }

  async #ask(user: string): Promise<RecommendationAnswer> {
    return (await this.#get(`/recommendations/user/${user}?limit=${SHOWN}`)) as RecommendationAnswer
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#baseUrl + path)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  async #send(events: readonly object[]): Promise<void> {
    const response = await fetch(`${this.#baseUrl}/stream/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    const { accepted } = (await response.json()) as { readonly accepted: number }
    if (accepted !== events.length) throw new Error(`${accepted} of ${events.length} events were accepted`)
  }
}

/** Twice as many shoppers as the shop has met; tastes depend on seed and number alone. */
function simulationOf(products: readonly ShopProduct[], seed: number): ShopperSimulation {
  const endMs = Date.now()
  return new ShopperSimulation({
    products,
    userCount: 2 * KNOWN_SHOPPERS,
    eventCount: 60_000,
    startMs: endMs - 14 * 86_400_000,
    endMs,
    seed,
    runId: 'taste',
  })
}

/** Ratio of two sums over the same shoppers, with its percentile bootstrap interval (Efron and Tibshirani 1993, ch. 13). */
function ratioOf(ours: readonly number[], theirs: readonly number[], seed: number): Ratio {
  const random = seededRandom(seed)
  const ratios = Array.from({ length: RESAMPLES }, () => {
    let above = 0
    let below = 0
    for (let n = 0; n < ours.length; n++) {
      const drawn = random.below(ours.length)
      above += ours[drawn]!
      below += theirs[drawn]!
    }
    return above / below
  }).sort((a, b) => a - b)
  return {
    ratio: sum(ours) / sum(theirs),
    low: ratios[Math.floor(0.025 * RESAMPLES)]!,
    high: ratios[Math.floor(0.975 * RESAMPLES)]!,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
}
