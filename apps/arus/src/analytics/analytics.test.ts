import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openDuckDbQueryEngine } from '../query/duckdb-query-engine.ts'
import type { QueryEngine, QueryOptions } from '../query/query-engine.ts'
import { type Analytics, createAnalytics } from './analytics.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Period } from './period.ts'
import {
  plainBehavior,
  plainByCategory,
  plainByDay,
  plainHeatmap,
  plainSteps,
  plainTimeline,
  plainTrends,
  type SilverEvent,
  within,
} from './plain-figures.ts'

/** Wednesday; summer time begins in Europe on Sunday the 29th at 1:00 UTC. */
const START = Date.UTC(2026, 2, 25)
const WHOLE = { fromMs: START, toMs: START + 7 * DAY_MS }
const TITLES = new Map([
  ['P0', 'Lamp'],
  ['P1', 'Chair'],
])

let folder = ''
let duckdb: DuckDb
let lake: Lake
let engine: QueryEngine
let asked: string[] = []
let nowMs = WHOLE.toMs - MINUTE_MS
let analytics: Analytics
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-analytics-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  engine = await openDuckDbQueryEngine({ lake, lakeRoot: join(folder, 'lake') })
})
afterAll(async () => {
  await engine.close()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  asked = []
  nowMs = WHOLE.toMs - MINUTE_MS
  analytics = createAnalytics({
    query: {
      query: (sql: string, options?: QueryOptions) => {
        asked.push(sql)
        return engine.query(sql, options)
      },
      isHealthy: () => engine.isHealthy(),
      close: () => engine.close(),
    },
    now: () => nowMs,
  })
})

function text(value: string | null): string {
  return value === null ? 'NULL' : `'${value}'`
}

/** Makes these the events of silver. */
async function store(events: readonly SilverEvent[]): Promise<void> {
  const rows = events.map(
    (e) => `(${[e.event_id, e.shopper, e.session, e.action, e.product_id, e.category].map(text).join(', ')},
      make_timestamptz(${e.ts} * 1000), ${e.price ?? 'NULL'}, ${e.quantity ?? 'NULL'}, ${text(e.order_id)})`,
  )
  const source =
    rows.length === 0
      ? `(SELECT * FROM (VALUES (${'NULL, '.repeat(9)}NULL)) WHERE false)`
      : `(VALUES ${rows.join(', ')})`
  await lake.write(
    'silver.events',
    `SELECT event_id, shopper AS user_id, session AS session_id, NULL::VARCHAR AS anonymous_id, shopper, session, action,
       product_id, category, ts, ts AS received_at, price, quantity, order_id, NULL::VARCHAR AS recommendation_id,
       NULL::INTEGER AS position, NULL::VARCHAR AS query, NULL::VARCHAR AS properties, 0 AS log_partition,
       0::BIGINT AS log_offset, ts::DATE AS event_date
     FROM ${source} t(event_id, shopper, session, action, product_id, category, ts, price, quantity, order_id)`,
    { mode: 'overwrite' },
  )
}

async function storeTitles(): Promise<void> {
  await lake.write(
    'gold.product_stats',
    `SELECT product_id, title, NULL::VARCHAR AS category, 0 AS events, 0 AS views, 0 AS clicks, 0 AS carts, 0 AS purchases, 0 AS shoppers,
       0 AS units, 0 AS revenue, NULL::TIMESTAMPTZ AS last_event_at
     FROM (VALUES ${[...TITLES].map(([id, title]) => `('${id}', '${title}')`).join(', ')}) t(product_id, title)`,
    { mode: 'overwrite' },
  )
}

const CATEGORY_OF: Readonly<Record<string, string | null>> = {
  P0: 'Home',
  P1: 'Home',
  P2: "Kids' toys",
  P3: null,
}
const eventsArbitrary: fc.Arbitrary<SilverEvent[]> = fc
  .array(
    fc.record({
      shopper: fc.constantFrom('ani', 'budi', 'cici', 'dedi', 'eka'),
      visit: fc.integer({ min: 0, max: 3 }),
      action: fc.constantFrom('view', 'view', 'click', 'add_to_cart', 'purchase', 'search', 'wish'),
      product: fc.constantFrom('P0', 'P1', 'P2', 'P3', null),
      // On whole quarters of an hour, so that times meet each other and the bounds of steps.
      ts: fc.integer({ min: 0, max: 7 * 96 }).map((quarter) => START + quarter * 15 * MINUTE_MS),
      cents: fc.option(fc.integer({ min: 0, max: 100_000 }), { freq: 4 }),
      quantity: fc.option(fc.integer({ min: 1, max: 3 })),
      order: fc.option(fc.integer({ min: 0, max: 2 })),
    }),
    { maxLength: 120 },
  )
  .map((drawn) =>
    drawn.map(({ shopper, visit, product, cents, order, ...event }, i) => ({
      ...event,
      event_id: `e${i}`,
      shopper,
      session: `${shopper} ${visit}`,
      product_id: product,
      category: product === null ? null : (CATEGORY_OF[product]?.replaceAll("'", '’') ?? null),
      price: cents === null ? null : cents / 100,
      order_id: order === null ? null : `${shopper} order ${order}`,
    })),
  )
const periodArbitrary: fc.Arbitrary<Period> = fc
  .tuple(fc.integer({ min: 0, max: 7 * 96 }), fc.integer({ min: 1, max: 7 * 96 }))
  .map(([from, length]) => ({
    fromMs: START + from * 15 * MINUTE_MS,
    toMs: START + (from + length) * 15 * MINUTE_MS,
  }))

describe('every figure is what plain loops over the same events give', () => {
  test('over random events and periods', async () => {
    await storeTitles()
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, periodArbitrary, async (all, period) => {
        await store(all)
        const events = within(all, period)
        await expectBehavior(events, period)
        await expectFunnel(events, period)
        await expectTimeline(events, period)
        for (const timeZone of ['UTC', 'Asia/Jakarta', 'Europe/Berlin', 'Asia/Kathmandu']) {
          const { cells } = await analytics.heatmap({ ...period, timeZone })
          expect(cells).toEqual(plainHeatmap(events, timeZone))
        }
        for (const interval of ['hour', 'day'] as const) {
          const { categories } = await analytics.trends({ ...period, interval })
          expectClose(categories, plainTrends(events, period, interval))
        }
      }),
      { numRuns: 15 },
    )
  }, 120_000)

  async function expectBehavior(events: readonly SilverEvent[], period: Period): Promise<void> {
    const { as_of, ...behavior } = await analytics.userBehavior(period)
    expectClose(behavior, plainBehavior(events, TITLES))
    expect(as_of.table_versions['silver.events']).toBeGreaterThan(0)
  }

  async function expectFunnel(events: readonly SilverEvent[], period: Period): Promise<void> {
    const funnel = await analytics.funnel(period)
    expect(funnel.steps.map(({ shoppers }) => shoppers)).toEqual(plainSteps(events))
    const isEmpty = ({ view, click, add_to_cart, purchase }: (typeof funnel.by_day)[number]) =>
      view + click + add_to_cart + purchase === 0
    expect(funnel.by_day.filter((day) => !isEmpty(day))).toEqual(
      plainByDay(events).filter((day) => !isEmpty(day)),
    )
    expect(funnel.by_category).toEqual(plainByCategory(events))
  }

  async function expectTimeline(events: readonly SilverEvent[], period: Period): Promise<void> {
    for (const interval of ['hour', 'day'] as const) {
      const { series } = await analytics.timeline({ ...period, interval })
      expect(new Map(series.map(({ action, counts }) => [action, counts]))).toEqual(
        plainTimeline(events, period, interval),
      )
    }
  }
})

/** Equal but for the noise of adding doubles in another order. */
function expectClose(actual: unknown, expected: unknown): void {
  expect(rounded(actual)).toEqual(rounded(expected))
}

function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) =>
      typeof field === 'number' ? Math.round(field * 1e6) / 1e6 + 0 : field,
    ),
  )
}

function event(fields: Partial<SilverEvent>, i = 0): SilverEvent {
  return {
    event_id: `e${i}`,
    shopper: 'ani',
    session: 's',
    action: 'view',
    product_id: 'P0',
    category: 'Home',
    ts: START,
    price: null,
    quantity: null,
    order_id: null,
    ...fields,
  }
}

describe('definitions', () => {
  test('the funnel is in order: a purchase before the view, or without a click, does not count', async () => {
    await store(
      [
        { shopper: 'ordered', action: 'view', ts: START },
        { shopper: 'ordered', action: 'click', ts: START },
        { shopper: 'ordered', action: 'add_to_cart', ts: START + 2 },
        { shopper: 'ordered', action: 'purchase', ts: START + 3 },
        { shopper: 'backwards', action: 'purchase', ts: START },
        { shopper: 'backwards', action: 'view', ts: START + 1 },
        { shopper: 'leaper', action: 'view', ts: START },
        { shopper: 'leaper', action: 'purchase', ts: START + 1 },
      ].map(event),
    )
    const { steps } = await analytics.funnel(WHOLE)
    expect(steps).toEqual([
      { step: 'view', shoppers: 3, of_first: 1, of_previous: null },
      { step: 'click', shoppers: 1, of_first: 1 / 3, of_previous: 1 / 3 },
      { step: 'add_to_cart', shoppers: 1, of_first: 1 / 3, of_previous: 1 },
      { step: 'purchase', shoppers: 1, of_first: 1 / 3, of_previous: 1 },
    ])
  })

  test('a step that this shop does not record holds nobody up', async () => {
    await store(
      [
        { shopper: 'ani', action: 'view', ts: START },
        { shopper: 'ani', action: 'purchase', ts: START + 1 },
        { shopper: 'budi', action: 'view', ts: START },
      ].map(event),
    )
    const { steps } = await analytics.funnel(WHOLE)
    expect(steps.map(({ shoppers }) => shoppers)).toEqual([2, 0, 0, 1])
  })

  test('days between the first and the last are there, with zeros', async () => {
    await store([{ ts: START }, { ts: START + 2 * DAY_MS }].map(event))
    const { by_day } = await analytics.funnel(WHOLE)
    expect(by_day.map(({ date, view }) => [date, view])).toEqual([
      ['2026-03-25', 1],
      ['2026-03-26', 0],
      ['2026-03-27', 1],
    ])
  })

  test('purchases of one session without order ids are one order', async () => {
    await store(
      [
        { action: 'purchase', price: 10 },
        { action: 'purchase', price: 20, quantity: 2 },
        { action: 'purchase', price: 7, session: 's2' },
        { shopper: 'budi', session: 's3', action: 'purchase', price: 3, order_id: 'o' },
      ].map(event),
    )
    expect(await analytics.userBehavior(WHOLE)).toMatchObject({
      buyers: 2,
      repeat_buyers: 1,
      revenue: 60,
      average_order_value: 20,
    })
  })

  test('rare actions share a series, so that senders cannot grow the answer without bound', async () => {
    await store(Array.from({ length: 30 }, (_, i) => event({ action: `action ${i}` }, i)))
    const { series } = await analytics.timeline({ ...WHOLE, interval: 'day' })
    expect(series).toHaveLength(4 + 20 + 1)
    expect(series.find(({ action }) => action === 'other')?.counts[0]).toBe(10)
  })

  test('trends of one category, and no more categories than asked for', async () => {
    await store(['Home', 'Home', 'Garden', 'Toys'].map((category, i) => event({ category }, i)))
    expect((await analytics.trends({ ...WHOLE, limit: 1 })).categories.map((c) => c.category)).toEqual([
      'Home',
    ])
    const { categories } = await analytics.trends({ ...WHOLE, category: 'Garden' })
    expect(categories.map((c) => [c.category, c.total_views])).toEqual([['Garden', 1]])
  })
})

describe('periods', () => {
  test('an empty lake answers with zeros', async () => {
    await store([])
    expect(await analytics.userBehavior()).toMatchObject({
      users: 0,
      events_per_user: null,
      session_minutes_median: null,
      revenue: 0,
      actions: [],
      top_products: [],
      as_of: { newest_event_at: null },
    })
    const funnel = await analytics.funnel()
    expect(funnel.steps.map(({ shoppers, of_first }) => [shoppers, of_first])).toEqual(
      Array(4).fill([0, null]),
    )
    const timeline = await analytics.timeline()
    expect(timeline).toMatchObject({ interval: 'hour', to: WHOLE.toMs })
    expect(timeline.series.flatMap(({ counts }) => counts).every((count) => count === 0)).toBe(true)
    expect((await analytics.heatmap()).cells).toHaveLength(168)
    expect((await analytics.trends()).categories).toEqual([])
  })

  test('without a period, old data shows itself', async () => {
    await store([event({ ts: START })])
    nowMs = START + 5_000 * DAY_MS
    const { events, as_of } = await analytics.userBehavior()
    expect([events, as_of.newest_event_at]).toEqual([1, START])
    expect((await analytics.timeline({ fromMs: nowMs - HOUR_MS })).series[0]?.counts).toEqual(
      Array(61).fill(0),
    )
  })

  test('any moment a date can hold is answered', async () => {
    await store([event({})])
    const everything = { fromMs: -8.64e15, toMs: 8.64e15 }
    expect((await analytics.userBehavior(everything)).events).toBe(1)
    expect((await analytics.heatmap(everything)).cells.some(({ events }) => events === 1)).toBe(true)
    await expect(analytics.timeline({ ...everything, interval: 'day' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })

  test('a time zone that does not exist is refused', async () => {
    await expect(analytics.heatmap({ timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })
})

describe('answers are kept', () => {
  test('until silver has a newer version', async () => {
    await store([event({})])
    const both = await Promise.all([analytics.funnel(), analytics.funnel()])
    const again = await analytics.funnel()
    expect(both[1]).toBe(both[0])
    expect(again).toBe(both[0])
    expect(asked.filter((sql) => sql.includes('reached_0'))).toHaveLength(1)
    await store([event({}), event({ shopper: 'budi' }, 1)])
    expect((await analytics.funnel()).steps[0]?.shoppers).toBe(2)
  })

  test('an answer of another question is another answer', async () => {
    await store([event({})])
    const hours = await analytics.timeline({ ...WHOLE, interval: 'hour' })
    const days = await analytics.timeline({ ...WHOLE, interval: 'day' })
    expect([hours.times.length, days.times.length]).toEqual([168, 7])
  })
})
