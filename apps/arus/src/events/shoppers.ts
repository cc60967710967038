import { type SeededRandom, seededRandom } from '../catalogue/seeded-random.ts'

/** What the simulation needs to know of a product. */
export interface ShopProduct {
  readonly product_id: string
  readonly category_id: number
  /** Its name, which is what shoppers search for. */
  readonly category: string | null
  readonly price: number
  /** Any positive scale. */
  readonly popularity: number
}

/** An event as a shop would send it. */
export interface RawEvent {
  readonly event_id: string
  readonly user_id: string
  readonly session_id: string
  readonly action: string
  readonly product_id?: string
  readonly ts: number
  readonly price?: number
  readonly quantity?: number
  readonly order_id?: string
  readonly query?: string
  readonly recommendation_id?: string
  readonly position?: number
}

export interface ShopperOptions {
  readonly products: readonly ShopProduct[]
  readonly userCount: number
  readonly eventCount: number
  /** UTC ms: the period events are placed in. */
  readonly startMs: number
  readonly endMs: number
  readonly seed: number
  /** Set apart the ids of runs with the same seed. Default: the seed. */
  readonly runId?: string
  /** Hours from UTC at which the shoppers live. Default 7 (Jakarta). */
  readonly utcOffsetHours?: number
}

const FAVOURITES = 3
/** Products of a category that hang together: shoppers of one taste look at neighbouring ones. */
const TASTE_GROUP = 24
/** Share of looks that follow the shopper's taste; the rest goes by popularity alone. */
const TASTE_SHARE = 0.85
const P_CLICK = 0.45
const P_CART = 0.22
const P_PURCHASE = 0.4
const P_REMOVE = 0.12
const P_SEARCH = 0.12
const P_LAST_LOOK = 0.16
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Activity by hour of the shopper's day: quiet nights, a peak in the evening. */
const HOURS = [2, 1, 0.6, 0.5, 0.6, 1, 2, 3, 4, 5, 5.5, 6, 6.5, 6, 5.5, 5.5, 6, 7, 8.5, 10, 10.5, 9, 6.5, 4]
/** By weekday, Monday first: busier at the weekend. */
const WEEKDAYS = [0.9, 0.88, 0.9, 0.95, 1.05, 1.25, 1.2]

interface Taste {
  /** Categories, favourite first, by index. */
  readonly categories: readonly number[]
  /** For each favourite category: which group of its products. */
  readonly groups: readonly number[]
  readonly random: SeededRandom
}

/**
 * Shoppers with hidden tastes over a real catalogue. Each has three favourite categories and in each a group of products
 * they care for; most looks go there, the rest by popularity. A few products surge for a day. Sessions follow the
 * shopper's day and week, and run view → click → add_to_cart → purchase. The same options give the same events.
 */
export class ShopperSimulation {
  readonly #options: ShopperOptions
  readonly #categories: readonly (readonly ShopProduct[])[]
  readonly #byPopularity: readonly ShopProduct[]
  readonly #cumulative: Float64Array
  readonly #surging: readonly (readonly ShopProduct[])[]

  constructor(options: ShopperOptions) {
    this.#options = options
    this.#byPopularity = [...options.products].sort(
      (a, b) => b.popularity - a.popularity || (a.product_id < b.product_id ? -1 : 1),
    )
    this.#categories = groupByCategory(this.#byPopularity)
    this.#cumulative = cumulativeZipf(this.#byPopularity.length)
    this.#surging = this.#pickSurges()
  }

  /** How much a shopper truly likes a product, 0 to 1: what a recommender should find out. */
  tasteOf(userId: string, product: ShopProduct): number {
    const taste = this.#tasteOf(Number(userId) - 1)
    const at = taste.categories.findIndex(
      (category) => this.#categories[category]?.[0]?.category_id === product.category_id,
    )
    if (at < 0) return 0
    const position = this.#categories[taste.categories[at]!]!.indexOf(product)
    return Math.floor(position / TASTE_GROUP) === taste.groups[at] ? 1 / (at + 1) : 0.1 / (at + 1)
  }

  /** Events in order of time. */
  *events(): Generator<RawEvent> {
    const { eventCount, startMs, endMs, seed } = this.#options
    const random = seededRandom(seed + 17)
    const days = Math.max(1, Math.ceil((endMs - startMs) / DAY_MS))
    const weights = Array.from({ length: days }, (_, day) => this.#weightOfDay(startMs + day * DAY_MS))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    let made = 0
    let due = 0
    let session = 0
    // Visits may run past midnight: what belongs to later days waits for its turn.
    let planned: RawEvent[] = []
    for (let day = 0; day < days; day++) {
      due += (eventCount * weights[day]!) / total
      const want = day === days - 1 ? eventCount : Math.round(due)
      const from = startMs + day * DAY_MS
      while (made < want) {
        const visit = this.#session(random, session++, from, Math.min(endMs, from + DAY_MS)).slice(
          0,
          eventCount - made,
        )
        planned.push(...visit)
        made += visit.length
      }
      planned.sort((a, b) => a.ts - b.ts)
      const isLast = day === days - 1
      const ripe = isLast ? planned : planned.filter((event) => event.ts < from + DAY_MS)
      yield* ripe
      planned = isLast ? [] : planned.slice(ripe.length)
    }
  }

  /** One visit. Times run from the hour drawn for it; those past the end are pulled back to it. */
  #session(random: SeededRandom, number: number, fromMs: number, toMs: number): RawEvent[] {
    const { userCount, endMs, seed, runId = String(seed) } = this.#options
    const user = Math.floor(userCount * random.next() ** 1.6)
    const taste = this.#tasteOf(user)
    const who = { user_id: String(user + 1), session_id: `s${runId}-${number}` }
    const events: RawEvent[] = []
    let ts = this.#timeWithin(random, fromMs, toMs)
    const add = (fields: Omit<RawEvent, 'event_id' | 'user_id' | 'session_id' | 'ts'>) => {
      events.push({
        event_id: `sim-${runId}-${number}-${events.length}`,
        ...who,
        ...fields,
        ts: Math.min(Math.round(ts), endMs),
      })
      ts += 5_000 + random.next() * 55_000
    }
    do {
      const product = this.#look(random, taste, ts)
      const id = { product_id: product.product_id }
      if (random.next() < P_SEARCH) add({ action: 'search', query: queryFor(product) })
      add({ action: 'view', ...id })
      if (random.next() < P_CLICK) {
        add({ action: 'click', ...id })
        if (random.next() < P_CART) {
          add({ action: 'add_to_cart', ...id })
          const next = random.next()
          if (next < P_PURCHASE) {
            const quantity = random.next() < 0.85 ? 1 : 2
            add({
              action: 'purchase',
              ...id,
              price: product.price,
              quantity,
              order_id: `o${runId}-${number}`,
            })
          } else if (next < P_PURCHASE + P_REMOVE) add({ action: 'remove_from_cart', ...id })
        }
      }
    } while (random.next() > P_LAST_LOOK)
    return events
  }

  #look(random: SeededRandom, taste: Taste, ts: number): ShopProduct {
    const surging = this.#surging[Math.floor((ts - this.#options.startMs) / DAY_MS)] ?? []
    if (surging.length > 0 && random.next() < 0.04) return surging[random.below(surging.length)]!
    if (random.next() >= TASTE_SHARE) return this.#popular(random)
    const favourite =
      Math.min(FAVOURITES - 1, Math.floor(Math.abs(random.normal()) * 0.9)) % taste.categories.length
    const products = this.#categories[taste.categories[favourite]!]!
    const start = taste.groups[favourite]! * TASTE_GROUP
    const size = Math.min(TASTE_GROUP, products.length - start)
    return products[start + Math.floor(size * random.next() ** 1.5)]!
  }

  #popular(random: SeededRandom): ShopProduct {
    const target = random.next() * this.#cumulative.at(-1)!
    let low = 0
    let high = this.#cumulative.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#cumulative[middle]! < target) low = middle + 1
      else high = middle
    }
    return this.#byPopularity[low]!
  }

  #tasteOf(user: number): Taste {
    const random = seededRandom(this.#options.seed * 1_000_003 + user)
    const categories: number[] = []
    const wanted = Math.min(FAVOURITES, this.#categories.length)
    while (categories.length < wanted) {
      const category = Math.floor(this.#categories.length * random.next() ** 1.7)
      if (!categories.includes(category)) categories.push(category)
    }
    const groups = categories.map((category) => {
      const groupCount = Math.ceil(this.#categories[category]!.length / TASTE_GROUP)
      return Math.min(groupCount - 1, Math.floor(groupCount * random.next() ** 2.2))
    })
    return { categories, groups, random }
  }

  #timeWithin(random: SeededRandom, fromMs: number, toMs: number): number {
    const offset = (this.#options.utcOffsetHours ?? 7) * HOUR_MS
    for (let attempt = 0; attempt < 24; attempt++) {
      const ts = fromMs + random.next() * (toMs - fromMs)
      const hour = new Date(ts + offset).getUTCHours()
      if (random.next() * 10.5 < HOURS[hour]!) return ts
    }
    return fromMs + random.next() * (toMs - fromMs)
  }

  #weightOfDay(dayMs: number): number {
    const weekday = (new Date(dayMs + DAY_MS / 2).getUTCDay() + 6) % 7
    return WEEKDAYS[weekday]! * Math.min(1, (this.#options.endMs - dayMs) / DAY_MS)
  }

  #pickSurges(): ShopProduct[][] {
    const random = seededRandom(this.#options.seed + 99)
    const days = Math.max(1, Math.ceil((this.#options.endMs - this.#options.startMs) / DAY_MS))
    return Array.from({ length: days }, () =>
      Array.from({ length: 4 }, () => this.#byPopularity[random.below(this.#byPopularity.length)]!),
    )
  }
}

function queryFor({ category, category_id }: ShopProduct): string {
  return category?.toLowerCase() ?? `category ${category_id}`
}

/** Groups in order of how many products they have, each by popularity. */
function groupByCategory(products: readonly ShopProduct[]): ShopProduct[][] {
  const groups = new Map<number, ShopProduct[]>()
  for (const product of products) {
    const group = groups.get(product.category_id)
    if (group === undefined) groups.set(product.category_id, [product])
    else group.push(product)
  }
  return [...groups.values()].sort((a, b) => b.length - a.length || a[0]!.category_id - b[0]!.category_id)
}

/** Zipf's law with exponent 0.8 over ranks, summed up. */
function cumulativeZipf(count: number): Float64Array {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -0.8
    cumulative[rank] = sum
  }
  return cumulative
}
