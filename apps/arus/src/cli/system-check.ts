import { randomUUID } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import * as schema from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import { type ApiAnswer, ApiClient, detailOf } from './api-client.ts'

/** The outcome of one check. */
export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly tookMs: number
  /** What was seen, or what was expected and found. */
  readonly detail: string
}

export interface SystemCheckOptions {
  /** Presents an admin key where keys are required: what it sent is removed at the end. */
  readonly api: ApiClient
  readonly dashboardUrl: string
  /** Reads the lake beside the running server. */
  readonly query: QueryEngine
  readonly signal: AbortSignal
  readonly onResult: (result: CheckResult) => void
}

const LAKE_DEADLINE_MS = 90_000
const STREAM_DEADLINE_MS = 10_000
const POLL_MS = 250
const EVENTS_SENT = 6

/**
 * Checks every service and endpoint of a running Arus: shapes against the API's schema, errors, and marked events on
 * their way through API, live state, SSE and lake. Whatever happens, what it sent is removed at the end.
 */
export async function runSystemCheck(options: SystemCheckOptions): Promise<CheckResult[]> {
  const check = new SystemCheck(options)
  await check.run()
  return check.results
}

class SystemCheck {
  readonly results: CheckResult[] = []
  readonly #options: SystemCheckOptions
  readonly #api: ApiClient
  /** Marks everything this run sends. */
  readonly #shopper = `arus-check-${randomUUID()}`
  #products: readonly string[] = []

  constructor(options: SystemCheckOptions) {
    this.#options = options
    this.#api = options.api
  }

  async run(): Promise<void> {
    await this.#services()
    await this.#endpoints()
    await this.#refusals()
    if (this.#products.length === 0) return
    try {
      await this.#eventsThroughTheSystem()
    } finally {
      await this.#cleanUp()
    }
  }

  async #services(): Promise<void> {
    await this.#step('service: API /health', async () => {
      const health = valid(schema.HealthSchema, await this.#api.get('/health')) as schema.Health
      const broken = health.slots.filter((slot) => slot.status !== 'ok')
      expect(broken.length === 0, `slots not ok: ${broken.map((slot) => slot.slot).join(', ')}`)
      expect(health.products > 0, 'no product is imported')
      return `${health.slots.length} slots ok, ${health.products} products, model ${health.model?.version ?? 'none yet'}`
    })
    await this.#step('service: dashboard', async () => {
      const dashboard = new ApiClient(this.#options.dashboardUrl, this.#options.signal)
      const page = await dashboard.get('/')
      expect(
        page.status === 200 && String(page.body).includes('<div id="root"'),
        `answered ${page.status} without the page`,
      )
      return this.#options.dashboardUrl
    })
    await this.#step('service: lake, read beside the server', async () => {
      const { rows } = await this.#options.query.query('SELECT count(*) FROM silver.products')
      expect(Number(rows[0]?.[0]) > 0, 'silver.products is empty')
      return `${rows[0]?.[0]} rows in silver.products`
    })
  }

  async #endpoints(): Promise<void> {
    await this.#step('GET /products', async () => {
      const page = valid(
        schema.ProductPageSchema,
        await this.#api.get('/products?limit=5'),
      ) as schema.ProductPage
      this.#products = page.products.map((product) => product.product_id)
      expect(this.#products.length > 0, 'no product listed')
      return `${page.total} products`
    })
    const [product = 'none'] = this.#products
    const shapes: readonly (readonly [string, TSchema])[] = [
      [`/products/${encodeURIComponent(product)}`, schema.ProductSchema],
      ['/categories', schema.CategoriesSchema],
      [`/recommendations/user/${this.#shopper}?limit=5`, schema.RecommendationSchema],
      [`/recommendations/session/${this.#shopper}?limit=5`, schema.RecommendationSchema],
      [`/recommendations/similar/${encodeURIComponent(product)}?limit=5`, schema.RecommendationSchema],
      [`/recommendations/cart?limit=5&products=${encodeURIComponent(product)}`, schema.RecommendationSchema],
      ['/recommendations/trending?limit=5', schema.TrendingSchema],
      ['/analytics', schema.LiveAnalyticsSchema],
      ['/analytics/user_behavior', schema.UserBehaviorSchema],
      ['/analytics/funnel', schema.FunnelSchema],
      ['/analytics/timeline', schema.TimelineSchema],
      ['/analytics/heatmap', schema.HeatmapSchema],
      ['/analytics/trends', schema.TrendsSchema],
      ['/analytics/retention', schema.RetentionSchema],
      ['/analytics/attribution', schema.AttributionSchema],
      ['/analytics/searches', schema.SearchesSchema],
      [`/analytics/users/${this.#shopper}`, schema.ShopperTimelineSchema],
      ['/models', schema.ModelsSchema],
      ['/rules', schema.RulesSchema],
      ['/system/metrics', schema.SystemMetricsSchema],
    ]
    for (const [path, shape] of shapes) {
      await this.#step(
        `GET ${path.replace(this.#shopper, '{user}').replace(product, '{product}')}`,
        async () => {
          const answer = await this.#api.get(path)
          valid(shape, answer)
          return `${answer.status}, ${answer.tookMs.toFixed(1)} ms`
        },
      )
    }
    await this.#step('POST /rules/preview', async () => {
      const pin = { kind: 'pin', name: 'arus check', product_id: product, rank: 1 }
      const asked = { user_id: this.#shopper, limit: 5, rules: [pin] }
      const answer = await this.#api.postJson('/rules/preview', asked)
      const { after } = valid(schema.RulesPreviewSchema, answer) as schema.RulesPreviewBody
      expect(after.recommendations.length > 0, 'the answer is empty')
      return `${after.recommendations[0]?.product_id} first`
    })
    for (const [path, expected] of [
      ['/openapi.json', '"openapi":"3.1'],
      ['/docs', '<html'],
      ['/metrics', '# TYPE'],
    ] as const) {
      await this.#step(`GET ${path}`, async () => {
        const { status, body } = await this.#api.get(path)
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        expect(status === 200 && text.includes(expected), `answered ${status}, without ${expected}`)
        return `${text.length} characters`
      })
    }
  }

  async #refusals(): Promise<void> {
    const cases: readonly (readonly [string, () => Promise<ApiAnswer>, number])[] = [
      ['an unknown product', () => this.#api.get('/products/no-such-product'), 404],
      ['an unknown route', () => this.#api.get('/no-such-route'), 404],
      ['a bad limit', () => this.#api.get('/recommendations/trending?limit=-1'), 400],
      ['broken JSON', () => this.#post('{"user_id": ', 'application/json'), 400],
      ['a wrong content type', () => this.#post('<event/>', 'application/xml'), 415],
      [
        'an event without an action',
        () => this.#api.postJson('/stream/events', { user_id: this.#shopper, product_id: 'x' }),
        400,
      ],
    ]
    for (const [name, ask, status] of cases) {
      await this.#step(`refuses ${name}`, async () => {
        const answer = await ask()
        expect(answer.status === status, `expected ${status}, found ${answer.status}`)
        expect(answer.contentType.includes('application/problem+json'), `answered as ${answer.contentType}`)
        const problem = valid(schema.ProblemSchema, answer, status) as schema.Problem
        return `${status} ${problem.code}`
      })
    }
  }

  async #eventsThroughTheSystem(): Promise<void> {
    const events = this.#markedEvents()
    const streams = new AbortController()
    const recommendations = this.#firstMessages(
      `/stream/recommendations/${this.#shopper}?limit=5`,
      streams.signal,
      2,
    )
    const analytics = this.#firstMessages('/stream/analytics', streams.signal, 2)
    await this.#step('POST /stream/events accepts', async () => {
      const answer = await this.#api.postJson('/stream/events', events)
      const result = valid(schema.IngestResultSchema, answer) as schema.IngestBody
      expect(
        result.accepted === EVENTS_SENT,
        `accepted ${result.accepted} of ${EVENTS_SENT}: ${JSON.stringify(result.errors)}`,
      )
      return `${result.accepted} accepted in ${answer.tookMs.toFixed(1)} ms`
    })
    await this.#step('the same events again are duplicates', async () => {
      const result = (await this.#api.postJson('/stream/events', events)).body as schema.IngestBody
      expect(
        result.duplicates === EVENTS_SENT,
        `expected ${EVENTS_SENT} duplicates, found ${JSON.stringify(result)}`,
      )
      return `${result.duplicates} duplicates`
    })
    await this.#step('recommendations follow the events', async () => {
      const path = `/recommendations/user/${this.#shopper}?limit=5`
      const answer = await until(STREAM_DEADLINE_MS, async () => {
        const body = await this.#api.json<schema.Recommendation>(path)
        return body.fallback === null || body.fallback === 'session' ? body : null
      })
      expect(answer !== null, 'still a fallback for an unknown user')
      return `${answer?.recommendations.length} products, fallback ${answer?.fallback ?? 'none'}`
    })
    await this.#step('GET /recommendations/{id} leads to what it rested on', async () => {
      const { recommendation_id } = await this.#api.json<schema.Recommendation>(
        `/recommendations/user/${this.#shopper}`,
      )
      const passport = valid(
        schema.PassportSchema,
        await this.#api.get(`/recommendations/${recommendation_id}`),
      )
      const { events } = passport as { readonly events: readonly unknown[] }
      expect(events.length > 0, 'the passport names no event')
      return `${events.length} events`
    })
    await this.#step('SSE /stream/recommendations pushes the change', () => bothMessages(recommendations))
    await this.#step('SSE /stream/analytics pushes', () => bothMessages(analytics))
    streams.abort()
    for (const table of ['bronze.events', 'silver.events']) {
      await this.#step(`lake: ${table} has the events once`, async () => {
        const rows = await until(LAKE_DEADLINE_MS, async () => {
          const count = await this.#rowsOf(table)
          return count >= EVENTS_SENT ? count : null
        })
        expect(
          rows === EVENTS_SENT,
          `expected ${EVENTS_SENT} rows, found ${rows ?? (await this.#rowsOf(table))}`,
        )
        return `${rows} rows`
      })
    }
  }

  async #cleanUp(): Promise<void> {
    await this.#step('removes what it sent', async () => {
      const answer = await this.#api.forget(this.#shopper)
      expect(answer.status === 200, `answered ${answer.status}: ${detailOf(answer.body)}`)
      for (const table of ['bronze.events', 'silver.events', 'bronze.recommendations']) {
        const left = await this.#rowsOf(table)
        expect(left === 0, `${left} rows are still in ${table}`)
      }
      return JSON.stringify(answer.body)
    })
  }

  #markedEvents(): object[] {
    return Array.from({ length: EVENTS_SENT }, (_, i) => ({
      event_id: `${this.#shopper}-${i}`,
      user_id: this.#shopper,
      action: i % 2 === 0 ? 'view' : 'click',
      product_id: this.#products[Math.floor(i / 2) % this.#products.length],
      ts: Date.now(),
    }))
  }

  #post(body: string, contentType: string): Promise<ApiAnswer> {
    return this.#api.send('POST', '/stream/events', { content: { body, contentType } })
  }

  /** How many messages came, up to `count`, before the deadline. Never rejects: it is awaited later than it is begun. */
  async #firstMessages(path: string, signal: AbortSignal, count: number): Promise<number> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(STREAM_DEADLINE_MS)])
    let seen = 0
    try {
      for await (const message of this.#api.stream(path, deadline)) {
        JSON.parse(message.data)
        seen += 1
        if (seen >= count) break
      }
    } catch {
      // The deadline, or the stream broke: the count says how far it came.
    }
    return seen
  }

  async #rowsOf(table: string): Promise<number> {
    const { rows } = await this.#options.query.query(`SELECT count(*) FROM ${table} WHERE user_id = $1`, {
      params: [this.#shopper],
    })
    return Number(rows[0]?.[0] ?? 0)
  }

  /** Runs one check and records it. A failure is a result; only cancelling and a server that is gone end the run. */
  async #step(name: string, run: () => Promise<string>): Promise<void> {
    const startedAt = performance.now()
    const outcome = await run().then(
      (detail) => ({ passed: true, detail }),
      (error: unknown) => {
        this.#options.signal.throwIfAborted()
        if (error instanceof ArusError && error.code === 'SERVER_UNREACHABLE' && this.results.length === 0)
          throw error
        return { passed: false, detail: error instanceof Error ? error.message : String(error) }
      },
    )
    const result = { name, tookMs: performance.now() - startedAt, ...outcome }
    this.results.push(result)
    this.#options.onResult(result)
  }
}

async function bothMessages(counting: Promise<number>): Promise<string> {
  const seen = await counting
  expect(seen >= 2, `${seen} of 2 messages before the deadline`)
  return `${seen} messages`
}

/** What a check expected and did not find. */
class CheckFailure extends Error {}

function expect(condition: boolean, otherwise: string): void {
  if (!condition) throw new CheckFailure(otherwise)
}

/** The body, when the status is right and it has the shape. */
function valid(shape: TSchema, answer: ApiAnswer, status = 200): unknown {
  expect(answer.status === status, `expected ${status}, found ${answer.status}: ${detailOf(answer.body)}`)
  if (!Check(shape, answer.body)) {
    const [first] = Errors(shape, answer.body)
    throw new CheckFailure(`not the documented shape: ${first?.instancePath ?? ''} ${first?.message ?? ''}`)
  }
  return answer.body
}

/** Asks until there is an answer; null after the deadline. */
async function until<T>(deadlineMs: number, ask: () => Promise<T | null>): Promise<T | null> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    const answer = await ask()
    if (answer !== null) return answer
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return null
}
