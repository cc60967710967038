import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import type {
  Health,
  IngestBody,
  LiveAnalyticsBody,
  ProductBody,
  ProductPage,
  Recommendation,
  Trending,
} from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { type ApiClient, detailOf, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

const SHOWN = 5

/** `arus demo`: the whole story on a running Arus, told with a shopper of its own, which it removes at the end. */
export function demoCommand(context: CliContext): Command {
  return new Command('demo')
    .description('walk through Arus with one shopper, and watch their recommendations change')
    .option('--yes', 'do not wait for Enter between the steps')
    .action(async (options: { yes?: boolean }) => {
      const isInteractive = process.stdin.isTTY && !options.yes
      const tour = new Tour(context, openApi(context), isInteractive)
      await tour.run()
    })
}

class Tour {
  readonly #context: CliContext
  readonly #api: ApiClient
  readonly #isInteractive: boolean
  readonly #shopper = `demo-${randomUUID().slice(0, 8)}`
  #step = 0

  constructor(context: CliContext, api: ApiClient, isInteractive: boolean) {
    this.#context = context
    this.#api = api
    this.#isInteractive = isInteractive
  }

  async run(): Promise<void> {
    try {
      await this.#shop()
      const before = await this.#stranger()
      const products = await this.#pickProducts()
      await this.#act(products)
      await this.#changed(before)
      await this.#buys(products)
      await this.#business()
    } finally {
      await this.#api.forget(this.#shopper)
    }
    this.#context.out(
      `\nThat was all of it: ${this.#shopper} is removed again. Dashboard, API and docs are yours to explore.`,
    )
  }

  async #shop(): Promise<void> {
    await this.#title('The shop', 'curl /health')
    const health = await this.#api.json<Health>('/health')
    const model =
      health.model === null ? 'no model yet' : `model ${health.model.name} version ${health.model.version}`
    this.#context.out(`${health.products} products, ${model}, status ${health.status}.`)
    const { trending } = await this.#api.json<Trending>(`/recommendations/trending?limit=${SHOWN}`)
    this.#context.out(`Trending now:\n${productTable(trending)}`)
  }

  async #stranger(): Promise<readonly string[]> {
    await this.#title('A shopper nobody knows', `curl /recommendations/user/${this.#shopper}?limit=${SHOWN}`)
    const answer = await this.#recommend()
    this.#context.out(
      `Arus says where this came from: fallback "${answer.fallback}".\n${productTable(answer.recommendations)}`,
    )
    return answer.recommendations.map((product) => product.product_id)
  }

  /** Products of one category, so that the change has a direction: the most popular product's category. */
  async #pickProducts(): Promise<readonly ProductBody[]> {
    const [first] = (await this.#api.json<ProductPage>('/products?limit=50')).products.slice(-1)
    if (first === undefined)
      throw new ArusError('CATALOGUE_EMPTY', 'The shop has no products yet: run "arus import" or "npm start"')
    const query = first.category_id === null ? '' : `&category_id=${first.category_id}`
    return (await this.#api.json<ProductPage>(`/products?limit=3${query}`)).products
  }

  async #act(products: readonly ProductBody[]): Promise<void> {
    await this.#title('The shopper looks around', 'curl -X POST /stream/events')
    const events = products.flatMap((product) =>
      ['view', 'click'].map((action) => ({ user_id: this.#shopper, action, product_id: product.product_id })),
    )
    const result = await this.#send(events)
    for (const product of products) this.#context.out(`  views and clicks  ${product.title}`)
    this.#context.out(`${result.accepted} events accepted, on disk before the answer came.`)
  }

  async #changed(before: readonly string[]): Promise<void> {
    await this.#title(
      'The recommendations follow',
      `curl /recommendations/user/${this.#shopper}?limit=${SHOWN}`,
    )
    const startedAt = performance.now()
    let answer = await this.#recommend()
    while (sameProducts(answer, before) && performance.now() - startedAt < 5_000)
      answer = await this.#recommend()
    const changed = answer.recommendations.filter((product) => !before.includes(product.product_id)).length
    this.#context.out(
      `${changed} of ${answer.recommendations.length} are new, ${Math.round(performance.now() - startedAt)} ms after we asked; the answer took ${answer.took_ms.toFixed(1)} ms.\n${productTable(answer.recommendations)}`,
    )
  }

  async #buys(products: readonly ProductBody[]): Promise<void> {
    const [product] = products
    if (product === undefined) return
    await this.#title('The shopper buys', 'curl -X POST /stream/events')
    await this.#send(
      ['add_to_cart', 'purchase'].map((action) => ({
        user_id: this.#shopper,
        action,
        product_id: product.product_id,
        price: product.price ?? 10,
        quantity: 1,
        order_id: `${this.#shopper}-order`,
      })),
    )
    this.#context.out(`Bought: ${product.title}. It is not recommended again.`)
  }

  async #business(): Promise<void> {
    await this.#title('What the business sees', 'curl /analytics')
    const live = await this.#api.json<LiveAnalyticsBody>('/analytics')
    const { view, click, add_to_cart, purchase } = live.funnel
    this.#context.out(
      `${live.total_users} users, ${live.active_sessions} active sessions, ${live.events_per_second.toFixed(1)} events/s.\n` +
        `Today: ${view} shoppers viewed, ${click} clicked, ${add_to_cart} filled a cart, ${purchase} bought; revenue ${live.revenue_today.toFixed(2)}.`,
    )
  }

  async #send(events: readonly object[]): Promise<IngestBody> {
    const answer = await this.#api.postJson('/stream/events', events)
    if (answer.status === 200) return answer.body as IngestBody
    throw new ArusError(
      'REQUEST_INVALID',
      `POST /stream/events answered ${answer.status}: ${detailOf(answer.body)}`,
    )
  }

  #recommend(): Promise<Recommendation> {
    return this.#api.json<Recommendation>(`/recommendations/user/${this.#shopper}?limit=${SHOWN}`)
  }

  async #title(title: string, command: string): Promise<void> {
    if (this.#step > 0 && this.#isInteractive) await this.#pause()
    this.#step += 1
    this.#context.out(`\n${this.#step}. ${title}   (${command})\n`)
  }

  async #pause(): Promise<void> {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    try {
      await prompt.question('\n   Enter to go on … ', { signal: this.#context.signal })
    } finally {
      prompt.close()
    }
  }
}

function sameProducts(answer: Recommendation, before: readonly string[]): boolean {
  return answer.recommendations.every((product, i) => product.product_id === before[i])
}

function productTable(products: Recommendation['recommendations']): string {
  const rows = products.map((product) => [
    product.rank,
    product.product_id,
    (product.title ?? '').slice(0, 56),
    product.category ?? '',
    product.price === null ? '' : product.price.toFixed(2),
    product.reason.because_of?.title
      ? `because of ${product.reason.because_of.title.slice(0, 30)}`
      : product.reason.kind,
  ])
  return textTable(['#', 'product', 'title', 'category', 'price', 'reason'], rows)
}
