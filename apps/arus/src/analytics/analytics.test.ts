import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { QueryOptions } from '../query/query-engine.ts'
import { type Analytics, createAnalytics } from './analytics.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Period } from './period.ts'
import {
  plainBehavior,
  plainByCategory,
  plainByDay,
  plainHeatmap,
  plainStepsOf,
  plainTimeline,
  plainTrends,
  type SilverEvent,
  within,
} from './plain-figures.ts'
import {
  eventsArbitrary,
  openSilver,
  periodArbitrary,
  rounded,
  type Silver,
  START,
  silverEvent,
  TITLES,
  WHOLE,
} from './test-silver.ts'

let silver: Silver
let asked: string[] = []
let nowMs = WHOLE.toMs - MINUTE_MS
let analytics: Analytics
beforeAll(async () => {
  silver = await openSilver()
})
afterAll(() => silver.close())
beforeEach(() => {
  asked = []
  nowMs = WHOLE.toMs - MINUTE_MS
  const { engine } = silver
  analytics = createAnalytics({
    query: {
      dialect: engine.dialect,
      versions: (tables) => engine.versions(tables),
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

const store = (events: readonly SilverEvent[]) => silver.store(events)
const event = silverEvent

describe('every figure is what plain loops over the same events give', () => {
  test('over random events and periods', async () => {
    await silver.storeTitles()
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, periodArbitrary, async (all, period) => {
        await store(all)
        const events = within(all, period)
        await expectBehavior(events, period)
        await expectFunnel(events, period)
        for (const timeZone of ['UTC', 'Asia/Jakarta', 'Europe/Berlin', 'Asia/Kathmandu']) {
          const { cells } = await analytics.heatmap({ ...period, timeZone })
          expect(cells).toEqual(plainHeatmap(events, timeZone))
          for (const interval of ['hour', 'day'] as const) {
            await expectSeries(events, period, interval, timeZone)
          }
        }
      }),
      { numRuns: 15 },
    )
  })

  async function expectBehavior(events: readonly SilverEvent[], period: Period): Promise<void> {
    const { as_of, ...behavior } = await analytics.userBehavior(period)
    expectClose(behavior, plainBehavior(events, TITLES))
    expect(as_of.table_versions['silver.events']).toBeGreaterThan(0)
  }

  async function expectFunnel(events: readonly SilverEvent[], period: Period): Promise<void> {
    const funnel = await analytics.funnel(period)
    const isEmpty = ({ view, click, add_to_cart, purchase }: (typeof funnel.by_day)[number]) =>
      view + click + add_to_cart + purchase === 0
    expect(funnel.by_day.filter((day) => !isEmpty(day))).toEqual(
      plainByDay(events).filter((day) => !isEmpty(day)),
    )
    expect(funnel.by_category).toEqual(plainByCategory(events))
  }

  async function expectSeries(
    events: readonly SilverEvent[],
    period: Period,
    interval: 'hour' | 'day',
    timeZone: string,
  ): Promise<void> {
    const steps = plainStepsOf(period, interval, timeZone)
    const { series, times } = await analytics.timeline({ ...period, interval, timeZone })
    expect(times).toEqual(steps.times)
    expect(new Map(series.map(({ action, counts }) => [action, counts]))).toEqual(
      plainTimeline(events, steps),
    )
    const { categories } = await analytics.trends({ ...period, interval, timeZone })
    expectClose(categories, plainTrends(events, period, steps))
  }
})

/** Equal but for the noise of adding doubles in another order. */
function expectClose(actual: unknown, expected: unknown): void {
  expect(rounded(actual)).toEqual(rounded(expected))
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
    expect(steps.map(({ from_previous, ...step }) => step)).toEqual([
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
    expect(asked.filter((sql) => sql.includes('best AS'))).toHaveLength(1)
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
