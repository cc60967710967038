/** The API over a small in-memory shop, for tests of routes. */
import { randomFillSync } from 'node:crypto'
import { expect } from 'vitest'
import { openSqliteDatabase } from '../database/sqlite-database.ts'
import { ArusError } from '../errors.ts'
import type { EventError, Ingest, IngestResult } from '../events/ingest.ts'
import { LagHistory } from '../operations/lag-history.ts'
import { previewRules } from '../recommend/arrange/preview-rules.ts'
import { explainAnswer } from '../recommend/passport/explain-answer.ts'
import type { Passport } from '../recommend/passport/passport.ts'
import { createRecommender } from '../recommend/recommender.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from '../recommend/test-shop.ts'
import { risingIds } from '../rising-ids.ts'
import { RuleBook } from '../rules/rule-book.ts'
import { RuleStore } from '../rules/rule-store.ts'
import type { ApiDeps, Period } from './api-deps.ts'
import { buildApi } from './app.ts'
import { PROBLEM_TITLES } from './problem-codes.ts'

export const NOW_MS = Date.UTC(2026, 0, 15, 12)

/** Takes objects that have an action; remembers ids, and refuses everything while `isFull`. */
class ShopIngest implements Ingest {
  readonly accepted: Record<string, unknown>[] = []
  isFull = false
  readonly #ids = new Set<unknown>()
  readonly #live: ShopLive

  constructor(live: ShopLive) {
    this.#live = live
  }

  async accept(events: readonly unknown[]): Promise<IngestResult> {
    if (this.isFull) throw new ArusError('INGEST_OVERLOADED', 'Too many events are in flight.')
    const errors: EventError[] = []
    let duplicates = 0
    for (const [index, event] of events.entries()) {
      if (!isFields(event)) {
        errors.push({ index, pointer: '', reason: 'must be an object' })
      } else if (typeof event.action !== 'string') {
        errors.push({ index, pointer: '/action', reason: 'must be a text' })
      } else if (event.event_id !== undefined && this.#ids.has(event.event_id)) {
        duplicates += 1
      } else {
        this.#ids.add(event.event_id)
        this.accepted.push(event)
        this.#live.act(String(event.user_id), String(event.product_id), event.action)
      }
    }
    return {
      accepted: events.length - errors.length - duplicates,
      duplicates,
      rejected: errors.length,
      errors,
    }
  }

  eventsPerSecond(): number {
    return 0
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A served shop of 30 products in two categories, and its parts to act on. */
export async function openShop(changes: Partial<ApiDeps> = {}) {
  let clockMs = NOW_MS
  const now = () => clockMs++
  const catalogue = new ShopCatalogue(
    Array.from({ length: 30 }, (_, i) =>
      productNamed(`p${i}`, {
        category_id: 1 + (i % 2),
        category: i % 2 === 0 ? 'Toys' : 'Books',
        price: i + 1,
      }),
    ),
  )
  const live = new ShopLive(now)
  const model = new ShopModel({ p0: ['p10', 'p11', 'p12'], p1: ['p20', 'p21', 'p22'] })
  const ingest = new ShopIngest(live)
  const passports = new Map<string, Passport>()
  const requests: { latencyMs: number; status: number }[] = []
  const database = await openSqliteDatabase({ file: ':memory:' })
  const store = new RuleStore({ database, now })
  const rules = await RuleBook.open({
    store,
    onFault: (error) => {
      throw error
    },
  })
  // Only this API changes them.
  await rules.close()
  const recommending = {
    catalogue: () => catalogue,
    live: () => live,
    model: () => model,
    now,
    uuid: risingIds({ now, fillRandom: (bytes) => randomFillSync(bytes) }),
  }
  const recommender = createRecommender({
    ...recommending,
    rules: (scenario, atMs) => rules.inForce(scenario, atMs),
    onAnswer: (passport) => void passports.set(passport.recommendation_id, passport),
  })
  const app = await buildApi({
    version: '0.1.0',
    recommender,
    catalogue: () => catalogue,
    live: () => live,
    ingest: () => ingest,
    analytics: recordedAnalytics,
    sql: noSql,
    tables: noTables,
    passports: {
      explain: (id, options) =>
        explainAnswer(
          {
            find: async () => passports.get(id) ?? null,
            trainingOf: async () => null,
            outcomeOf: async () => ({ window_ms: 1, products: [], newest_event_at: null }),
            readEvents: (places) => live.eventsAt(places),
            loadModel: async () => model,
            catalogue: () => catalogue,
            rulesAt: (revision) => store.at(revision),
            onFault: () => {},
          },
          id,
          options,
        ),
    },
    rules,
    previewRules: (request) => previewRules({ ...recommending, rules: () => rules.list() }, request),
    models: async () => [
      {
        version: 3,
        kind: 'walk',
        status: 'production',
        metrics: { walk: { 'recall@20': 0.2 } },
        params: {},
        table_versions: { 'silver.interactions': 4 },
        user_count: 10,
        product_count: 30,
        interaction_count: 99,
        size_bytes: 1000,
        trained_at: NOW_MS,
        promoted_at: NOW_MS,
        reason: 'better',
        outdated: false,
      },
    ],
    experiments: noExperiments,
    health: async () => ({
      status: 'ok',
      version: '0.1.0',
      shop: 'shop',
      uptime_seconds: 1,
      products: 30,
      model: { name: 'walk', version: 3 },
      live_role: 'leader',
      slots: [{ slot: 'event log', adapter: 'lmdb', status: 'ok', detail: '', problem: null }],
    }),
    systemMetrics: async () => ({
      services: [],
      process: { uptime_seconds: 1, memory_bytes: 1, cpu_percent: 1, event_loop_delay_ms_p99: 1 },
      http: { requests_per_second: 1, latency_ms_p50: null, latency_ms_p99: null, errors_per_minute: 0 },
      topics: [],
      consumer_groups: [],
      tables: [],
      storage: [],
      history: [],
      generated_at: NOW_MS,
    }),
    lagHistory: (span) => new LagHistory().body(span, NOW_MS),
    consumerGroups: async () => [
      {
        group: 'lake',
        partitions: [
          { topic: 'events', partition: 1, committedOffset: 3, endOffset: 10, lag: 7, lagMs: 20, lost: 0 },
        ],
      },
    ],
    forget: async (shopper) => ({
      otherNames: 1,
      removed: { 'live state': shopper.length },
      remains: [{ place: 'model 3', what: 'trained with their history', until: null }],
      outdatedModels: [3],
      modelInService: 3,
    }),
    onRequest: (latencyMs, status) => void requests.push({ latencyMs, status }),
    bodyLimitBytes: 100_000,
    now,
    ...changes,
  })
  return { app, live, model, catalogue, ingest, passports, requests, rules }
}

/** A lake that is away; tests of SQL bring a real one. */
const noSql: ApiDeps['sql'] = {
  ask: async () => {
    throw new ArusError('NOT_READY', 'There is no lake here.')
  },
  isHealthy: async () => false,
  close: async () => {},
}

/** Tests of experiments bring real ones. */
const noExperiments: ApiDeps['experiments'] = {
  list: async () => [],
  create: gone,
  get: gone,
  results: gone,
  start: gone,
  stop: gone,
  remove: gone,
}

const noTables: ApiDeps['tables'] = {
  list: async () => [],
  detail: gone,
  history: gone,
  files: gone,
}

async function gone(): Promise<never> {
  throw new ArusError('NOT_READY', 'There is no lake here.')
}

/** Answers from the period asked for, so that a test sees what the route understood. */
const recordedAnalytics: ApiDeps['analytics'] = {
  userBehavior: async (period = {}) => ({
    users: period.fromMs ?? 0,
    sessions: period.toMs ?? 0,
    events: 0,
    events_per_user: null,
    events_per_session: null,
    session_minutes_mean: null,
    session_minutes_median: null,
    bounce_rate: null,
    buyers: 0,
    repeat_buyers: 0,
    conversion: null,
    orders: 0,
    revenue: 0,
    average_order_value: null,
    actions: [],
    top_products: [],
    top_categories: [],
    top_users: [],
    as_of: AS_OF,
  }),
  funnel: async ({ steps = [], order = 'strict', windowMs = null, splitBy = null, ...period } = {}) => ({
    ...endsOf(period),
    order,
    window_ms: windowMs,
    split_by: splitBy,
    steps: steps.map((step) => ({
      step,
      shoppers: 0,
      of_first: null,
      of_previous: null,
      from_previous: null,
    })),
    first_to_last: null,
    groups: [],
    other: null,
    by_day: [],
    by_category: [],
    as_of: AS_OF,
  }),
  timeline: async ({ interval = 'hour', timeZone = 'UTC', ...period } = {}) => ({
    ...endsOf(period),
    interval,
    time_zone: timeZone,
    times: [],
    series: [],
    as_of: AS_OF,
  }),
  heatmap: async ({ timeZone = 'UTC', ...period } = {}) => ({
    ...endsOf(period),
    time_zone: timeZone,
    cells: [],
    as_of: AS_OF,
  }),
  trends: async ({ interval = 'day', timeZone = 'UTC', ...period } = {}) => ({
    ...endsOf(period),
    interval,
    time_zone: timeZone,
    times: [],
    categories: [],
    as_of: AS_OF,
  }),
  retention: async ({ interval = 'week', timeZone = 'UTC', action, returnAction, ...period } = {}) => ({
    ...endsOf(period),
    interval,
    time_zone: timeZone,
    action: action ?? null,
    return_action: returnAction ?? null,
    cohorts: [],
    overall: [],
    as_of: AS_OF,
  }),
  attribution: async ({ windowMs = 0, ...period } = {}) => ({
    ...endsOf(period),
    window_ms: windowMs,
    total: {
      answers: 0,
      shown: 0,
      seen: 0,
      clicked: 0,
      purchases: 0,
      revenue: 0,
      view_purchases: 0,
      view_revenue: 0,
      click_through: null,
      click_through_of_seen: null,
      purchases_per_click: null,
    },
    by_scenario: [],
    by_position: [],
    by_model: [],
    as_of: AS_OF,
  }),
  searches: async (period = {}) => ({
    ...endsOf(period),
    searches: 0,
    shoppers: 0,
    click_rate: null,
    purchase_rate: null,
    revenue: 0,
    distinct_queries: 0,
    queries: [],
    as_of: AS_OF,
  }),
  shopper: async ({ shopper, limit, before }) => ({
    user_id: shopper,
    summary: {
      events: limit,
      sessions: before?.offset ?? 0,
      first_event_at: null,
      last_event_at: null,
      purchases: 0,
      revenue: 0,
    },
    events: [],
    next: before === undefined ? { ts: 5, partition: 1, offset: 7 } : null,
    as_of: AS_OF,
  }),
  outcome: gone,
}

const AS_OF = {
  table_versions: { 'silver.events': 2 },
  newest_event_at: null,
  took_ms: 1,
  engine: 'duckdb' as const,
}

function endsOf({ fromMs = 0, toMs = NOW_MS }: Period): { from: number; to: number } {
  return { from: fromMs, to: toMs }
}

type Shop = Awaited<ReturnType<typeof openShop>>

/** The response is a problem document with this status and code, and tells nothing of the inside; its body. */
export function expectProblem(
  response: Awaited<ReturnType<Shop['app']['inject']>>,
  status: number,
  code: string,
) {
  expect(response.statusCode).toBe(status)
  expect(response.headers['content-type']).toContain('application/problem+json')
  const problem = response.json()
  expect(problem).toMatchObject({ status, code })
  expect(problem.type).toMatch(/^urn:arus:problem:[a-z-]+$/)
  expect(problem.title).toBe(PROBLEM_TITLES[code as keyof typeof PROBLEM_TITLES])
  expect(problem.detail.length).toBeGreaterThan(10)
  expect(problem.request_id).toMatch(/./)
  expect(response.body).not.toMatch(/\.ts:|node_modules|at Object/)
  return problem
}
