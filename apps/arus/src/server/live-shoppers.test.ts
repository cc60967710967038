import { expect, test } from 'vitest'
import { parseEvent } from '../events/event-schema.ts'
import type { Ingest } from '../events/ingest.ts'
import type { RawEvent } from '../events/shoppers.ts'
import type { Passport } from '../recommend/passport/passport.ts'
import { createRecommender } from '../recommend/recommender.ts'
import { productNamed, ShopCatalogue, ShopLive } from '../recommend/test-shop.ts'
import { keepShopping } from './live-shoppers.ts'

test('they search for what the shop has, and look at, click and buy what is recommended to them', async () => {
  const catalogue = new ShopCatalogue(
    Array.from({ length: 60 }, (_, i) =>
      productNamed(`P${i}`, { category_id: i % 3, category: ['Toys', 'Books', 'Lamps'][i % 3]! }),
    ),
  )
  const live = new ShopLive(Date.now)
  const passports = new Map<string, Passport>()
  let count = 0
  const recommender = createRecommender({
    catalogue: () => catalogue,
    live: () => live,
    model: () => null,
    onAnswer: (passport) => passports.set(passport.recommendation_id, passport),
    now: Date.now,
    uuid: () => `r${count++}`,
  })
  const events: RawEvent[] = []
  const leaving = new AbortController()
  const ingest: Pick<Ingest, 'accept'> = {
    accept: async (batch) => {
      events.push(...(batch as RawEvent[]))
      if (events.length >= 3_000) leaving.abort()
      return { accepted: batch.length, duplicates: 0, rejected: 0, errors: [] }
    },
  }
  const server = { ingest: ingest as Ingest, recommender }
  await keepShopping({ catalogue, server, rate: 4_000, seed: 1, signal: leaving.signal })

  for (const event of events)
    expect(parseEvent(event, { nowMs: Date.now(), newId: () => 'x' }).kind).toBe('event')
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(events.length)
  const of = (action: string) => events.filter((event) => event.action === action)
  expect(new Set(of('search').map(({ query }) => query))).toEqual(new Set(['toys', 'books', 'lamps']))
  expect(of('recommendation_viewed').length).toBeGreaterThan(50)
  const clicks = of('recommendation_clicked')
  expect(clicks.length).toBeGreaterThan(5)
  for (const { recommendation_id, product_id, position, user_id } of clicks) {
    const passport = passports.get(recommendation_id!)!
    expect(passport.user_id).toBe(user_id)
    expect(passport.result[position! - 1]?.product_id).toBe(product_id)
  }
  expect(of('purchase').some(({ recommendation_id }) => recommendation_id !== undefined)).toBe(true)
})
