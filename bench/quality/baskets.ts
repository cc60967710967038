import { join } from 'node:path'
import { Numbers } from '../../apps/arus/src/evaluation/files/list-file.ts'
import { fieldsOf, textRecords } from '../../apps/arus/src/evaluation/files/text-records.ts'
import {
  type BasketSplit,
  type Baskets,
  type BoughtTogetherOptions,
  basketsOf,
  evaluateBaskets,
  evaluateCarts,
  fitBoughtTogether,
  fitItemKnn,
  fitNextBasket,
  fitPopular,
  type Interactions,
  lastBasketSplit,
  type NextBasketOptions,
  type NextBasketRanker,
  newestBasketsSplit,
} from '../../packages/recommenders/src/index.ts'

const K = 20

/** Orders of `shared/data` by name. */
const ORDERS: Readonly<Record<string, (folder: string) => Promise<Baskets>>> = {
  'uci-online-retail': (folder) =>
    readOrders(join(folder, 'uci-online-retail/online_retail.2010-12_2011-01-09.csv.gz'), (row) => {
      const [order, user] = [row('InvoiceNo'), row('CustomerID')]
      // Returns and corrections are no purchases; who has no number is a guest.
      if (order.startsWith('C') || !(Number(row('Quantity')) > 0)) return undefined
      return {
        order,
        user: user || `order ${order}`,
        item: row('StockCode'),
        timeMs: Date.parse(`${row('InvoiceDate').replace(' ', 'T')}Z`),
      }
    }),
  /** All that a user bought on a day is an order. The source keeps one purchase of each product by a user: nothing repeats. */
  'retailrocket-2k': (folder) =>
    readOrders(join(folder, 'retailrocket-2k/events.csv.gz'), (row) =>
      row('event') === 'buy'
        ? { user: row('user'), item: row('item'), timeMs: Number(row('ts')) * 1_000 }
        : undefined,
    ),
}

interface Row {
  readonly order?: string
  readonly user: string
  readonly item: string
  readonly timeMs: number
}

/** `--baskets`: next baskets and carts on orders, options found on validation data, test data ranked once. */
export async function benchBaskets(shared: string): Promise<void> {
  for (const [name, read] of Object.entries(ORDERS)) {
    const baskets = await read(shared)
    console.log(
      `\n${name}: ${baskets.users.length} baskets with ${baskets.items.length} products of ${baskets.itemCount}, ${new Set(baskets.users).size} users`,
    )
    benchNextBasket(baskets)
    benchCarts(baskets)
  }
}

/** The last basket of each user who has several is the test, the last but one of who has three validation. */
function benchNextBasket(baskets: Baskets): void {
  const split = lastBasketSplit(baskets)
  const options = bestOf(NEXT_BASKET_GRID, lastBasketSplit(split.train), nextBasketScore)
  const rankers: Record<string, NextBasketRanker> = {
    popular: popularRanker(split.train),
    'personal frequency': nextBasketRanker(split.train, { personalShare: 1, withinDecay: 1, groupDecay: 1 }),
    'personal frequency, then popular': thenPopular(
      nextBasketRanker(split.train, { personalShare: 1, withinDecay: 1, groupDecay: 1 }),
      popularRanker(split.train),
    ),
    'next-basket, defaults': nextBasketRanker(split.train, {}),
    'next-basket, tuned': nextBasketRanker(split.train, options),
  }
  console.log(`The next basket of a user; tuned: ${JSON.stringify(options)}`)
  console.table(
    Object.entries(rankers).map(([ranker, rank]) => {
      const { metrics, userCount } = evaluateBaskets(rank, split, { k: K })
      return { ranker, ...rounded(metrics), users: userCount }
    }),
  )
}

/** The newest fifth of the baskets is the test, the newest fifth of the rest validation. */
function benchCarts(baskets: Baskets): void {
  const split = newestBasketsSplit(baskets)
  const options = bestOf(CART_GRID, newestBasketsSplit(split.train), cartScore)
  const models = {
    popular: fitPopular(asInteractions(split.train)),
    'item kNN of baskets, cosine': fitItemKnn(asInteractions(split.train)),
    'bought-together, defaults': fitBoughtTogether(split.train),
    'bought-together, tuned': fitBoughtTogether(split.train, options),
  }
  console.log(`The product missing from a cart; tuned: ${JSON.stringify(options)}`)
  console.table(
    Object.entries(models).map(([model, fitted]) => {
      const { metrics, cartCount } = evaluateCarts(fitted, split, { k: K })
      return { model, ...rounded(metrics), carts: cartCount }
    }),
  )
}

const NEXT_BASKET_GRID: readonly NextBasketOptions[] = [0.3, 0.5, 0.7, 0.9].flatMap((personalShare) =>
  [50, 300].flatMap((neighbourCount) =>
    [0.6, 0.9, 1].map((withinDecay) => ({ personalShare, neighbourCount, withinDecay })),
  ),
)

const CART_GRID: readonly BoughtTogetherOptions[] = [3, 10, 30, 100, 300].flatMap((shrinkage) =>
  [0, 3.84, 10.83].map((ratioMin) => ({ shrinkage, ratioMin, pairCountMin: ratioMin === 0 ? 1 : 2 })),
)

function nextBasketScore(options: NextBasketOptions, split: BasketSplit): number {
  return evaluateBaskets(nextBasketRanker(split.train, options), split, { k: K }).metrics[`ndcg@${K}`] ?? 0
}

function cartScore(options: BoughtTogetherOptions, split: BasketSplit): number {
  return evaluateCarts(fitBoughtTogether(split.train, options), split, { k: K }).metrics[`mrr@${K}`]!
}

function bestOf<T>(
  grid: readonly T[],
  split: BasketSplit,
  scoreOf: (options: T, split: BasketSplit) => number,
): T {
  const scores = grid.map((options) => scoreOf(options, split))
  return grid[scores.indexOf(Math.max(...scores))]!
}

function nextBasketRanker(train: Baskets, options: NextBasketOptions): NextBasketRanker {
  const model = fitNextBasket(train, options)
  return (history, k) => model.nextBasket(history, { k })
}

function popularRanker(train: Baskets): NextBasketRanker {
  const model = fitPopular(asInteractions(train))
  const nobody = { items: new Uint32Array(), weights: new Float32Array() }
  return (_, k) => model.recommend(nobody, { k })
}

/** Fills the places that `first` leaves free. */
function thenPopular(first: NextBasketRanker, popular: NextBasketRanker): NextBasketRanker {
  return (history, k) => {
    const own = first(history, k)
    const missing = popular(history, 2 * k).items.filter((item) => !own.items.includes(item))
    const items = Uint32Array.of(...own.items, ...missing).subarray(0, k)
    return { items, scores: Float32Array.from(items, (_, place) => 1 / (place + 1)) }
  }
}

/** Baskets as users, for models that know no baskets. */
function asInteractions({ starts, items, users, timesMs, itemCount }: Baskets): Interactions {
  const baskets = new Uint32Array(items.length)
  for (let basket = 0; basket < users.length; basket++)
    baskets.fill(basket, starts[basket], starts[basket + 1])
  return {
    userCount: users.length,
    itemCount,
    users: baskets,
    items,
    weights: new Float32Array(items.length).fill(1),
    timesMs: Float64Array.from(baskets, (basket) => timesMs[basket]!),
  }
}

async function readOrders(
  file: string,
  rowOf: (cell: (column: string) => string) => Row | undefined,
): Promise<Baskets> {
  const [users, items, orders] = [new Numbers(), new Numbers(), new Numbers()]
  const read = {
    users: [] as number[],
    items: [] as number[],
    orders: [] as number[],
    timesMs: [] as number[],
  }
  let header: string[] | undefined
  let hasOrders = false
  for await (const record of textRecords(file)) {
    const fields = fieldsOf(record, ',')
    if (header === undefined) {
      header = fields
      continue
    }
    const columns = header
    const row = rowOf((column) => fields[columns.indexOf(column)] ?? '')
    if (row === undefined) continue
    hasOrders = row.order !== undefined
    read.users.push(users.of(row.user))
    read.items.push(items.of(row.item))
    read.orders.push(orders.of(row.order ?? ''))
    read.timesMs.push(row.timeMs)
  }
  return basketsOf({
    userCount: users.count,
    itemCount: items.count,
    users: Uint32Array.from(read.users),
    items: Uint32Array.from(read.items),
    timesMs: Float64Array.from(read.timesMs),
    ...(hasOrders ? { orders: Uint32Array.from(read.orders) } : {}),
  })
}

function rounded(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, Math.round(value * 1e4) / 1e4]),
  )
}
