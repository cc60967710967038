import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Analytics, createAnalytics } from './analytics.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from './period.ts'
import { within } from './plain-figures.ts'
import { plainAttribution, plainRetention, plainSearches } from './plain-outcomes.ts'
import {
  answersArbitrary,
  eventsArbitrary,
  openSilver,
  periodArbitrary,
  reactionsArbitrary,
  rounded,
  type Silver,
  START,
  silverEvent,
  WHOLE,
} from './test-silver.ts'

let silver: Silver
let analytics: Analytics
beforeAll(async () => {
  silver = await openSilver()
  analytics = createAnalytics({ query: silver.engine, now: () => WHOLE.toMs - MINUTE_MS })
})
afterAll(() => silver.close())

describe('who comes back', () => {
  test('is what plain loops over the same events give', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, periodArbitrary, async (all, period) => {
        await silver.store(all)
        for (const timeZone of ['UTC', 'Asia/Jakarta', 'Europe/Berlin', 'America/Los_Angeles']) {
          for (const interval of ['day', 'week'] as const) {
            for (const actions of [
              {},
              { action: 'purchase' },
              { action: 'view', returnAction: 'purchase' },
            ]) {
              const question = { interval, timeZone, periods: 3, ...actions }
              const { cohorts, overall } = await analytics.retention({ ...period, ...question })
              expect({ cohorts, overall }, JSON.stringify(question)).toEqual(
                plainRetention(all, period, question),
              )
            }
          }
        }
      }),
      { numRuns: 6 },
    )
  })

  test('is counted by local days, also where a day has 23 hours', async () => {
    const at = (iso: string) => ({ ts: Date.parse(iso) })
    await silver.store(
      [
        { shopper: 'ani', ...at('2026-03-28T23:30:00+01:00') },
        { shopper: 'ani', ...at('2026-03-29T23:30:00+02:00') },
        { shopper: 'ani', ...at('2026-03-30T00:30:00+02:00') },
      ].map(silverEvent),
    )
    const { cohorts } = await analytics.retention({
      ...WHOLE,
      interval: 'day',
      timeZone: 'Europe/Berlin',
      periods: 2,
    })
    expect(cohorts).toEqual([{ start: '2026-03-28', shoppers: 1, returned: [1, 1, 1], complete: 3 }])
  })

  test('a cohort that is under way shows what has begun, and no share of it', async () => {
    await silver.store([silverEvent({ ts: START })])
    const { cohorts, overall } = await analytics.retention({
      fromMs: START,
      toMs: START + 1,
      interval: 'day',
    })
    expect(cohorts).toEqual([{ start: '2026-03-25', shoppers: 1, returned: [1], complete: 0 }])
    expect(overall[0]).toEqual({ period: 0, shoppers: 0, returned: 0, share: null })
  })

  test('more cohorts than anybody reads are refused', async () => {
    await expect(analytics.retention({ fromMs: 0, toMs: START, interval: 'day' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })
})

describe('searches', () => {
  test('are what plain loops over the same events give', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, periodArbitrary, async (all, period) => {
        await silver.store(all)
        const { as_of, from, to, ...figures } = await analytics.searches({ ...period, limit: 2 })
        expect(rounded(figures)).toEqual(rounded(plainSearches(within(all, period), 2)))
      }),
      { numRuns: 15 },
    )
  })

  test('what follows belongs to the last search before it in the session', async () => {
    await silver.store(
      [
        { action: 'search', query: 'Lamp', ts: START },
        { action: 'view', ts: START + 1 },
        { action: 'search', query: ' lamp ', ts: START + 2 },
        { action: 'purchase', price: 5, ts: START + 3 },
        { action: 'view', session: 'other', ts: START + 4 },
      ].map(silverEvent),
    )
    expect(await analytics.searches(WHOLE)).toMatchObject({
      searches: 2,
      queries: [{ query: 'lamp', searches: 2, click_rate: 0.5, purchase_rate: 0.5, revenue: 5 }],
    })
  })
})

describe('what came of recommendations', () => {
  test('is what plain loops over the same events give', async () => {
    await fc.assert(
      fc.asyncProperty(
        answersArbitrary,
        reactionsArbitrary,
        periodArbitrary,
        fc.constantFrom(HOUR_MS, DAY_MS, 7 * DAY_MS),
        async (answers, events, period, windowMs) => {
          await silver.storeAnswers(answers)
          await silver.store(events)
          const { as_of, from, to, window_ms, ...figures } = await analytics.attribution({
            ...period,
            windowMs,
          })
          expect(rounded(figures)).toEqual(rounded(plainAttribution(answers, events, period, windowMs)))
        },
      ),
      { numRuns: 30 },
    )
  })

  test('a purchase goes to the last click on that product, whoever shows it later', async () => {
    const answer = {
      scenario: 'home',
      model: 'walk',
      version: 1,
      generated_at: START,
      products: ['P0', 'P1'],
    }
    await silver.storeAnswers([
      { ...answer, recommendation_id: 'r0' },
      { ...answer, recommendation_id: 'r1', scenario: 'cart' },
    ])
    await silver.store(
      [
        { action: 'recommendation_viewed', product_id: null, recommendation_id: 'r0', ts: START },
        { action: 'recommendation_clicked', recommendation_id: 'r0', ts: START + 1 },
        { action: 'recommendation_clicked', recommendation_id: 'r1', ts: START + 2 },
        { action: 'recommendation_viewed', recommendation_id: 'r0', ts: START + 3 },
        { action: 'purchase', price: 10, quantity: 2, ts: START + 4 },
        { action: 'purchase', product_id: 'P1', price: 3, ts: START + 5 },
      ].map(silverEvent),
    )
    const { by_scenario, total, as_of } = await analytics.attribution(WHOLE)
    expect(
      by_scenario.map((row) => [row.scenario, row.clicked, row.purchases, row.revenue, row.view_revenue]),
    ).toEqual([
      ['cart', 1, 1, 20, 0],
      ['home', 1, 0, 0, 3],
    ])
    expect(total).toMatchObject({
      answers: 2,
      shown: 4,
      seen: 2,
      click_through: 0.5,
      click_through_of_seen: 0.5,
    })
    expect(Object.keys(as_of.table_versions).sort()).toEqual(['bronze.recommendations', 'silver.events'])
  })
})

describe('one shopper', () => {
  test('pages hold every event once, newest first, whatever their times', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, fc.integer({ min: 1, max: 9 }), async (all, limit) => {
        await silver.store(all)
        const own = all
          .filter(({ shopper }) => shopper === 'ani')
          .sort((a, b) => b.ts - a.ts || b.log_offset - a.log_offset)
        const found: string[] = []
        let before: Parameters<Analytics['shopper']>[0]['before']
        do {
          const page = await analytics.shopper({ shopper: 'ani', limit, ...(before ? { before } : {}) })
          expect(page.events.length).toBeLessThanOrEqual(limit)
          expect(page.summary.events).toBe(own.length)
          found.push(...page.events.map(({ event_id }) => event_id))
          before = page.next ?? undefined
        } while (before !== undefined)
        expect(found).toEqual(own.map(({ event_id }) => event_id))
      }),
      { numRuns: 5 },
    )
  })

  test('whom nobody knows did nothing', async () => {
    await silver.store([])
    expect(await analytics.shopper({ shopper: "o'brien", limit: 5 })).toMatchObject({
      summary: { events: 0, first_event_at: null, revenue: 0 },
      events: [],
      next: null,
    })
  })
})
