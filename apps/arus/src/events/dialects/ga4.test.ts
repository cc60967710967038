import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEvent } from '../event-schema.ts'
import type { Fields } from './canonical-fields.ts'
import { eventsOfGa4 } from './ga4.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12)
const MICROS = (NOW_MS - 5_000) * 1_000 + 999
const BODY = { client_id: '123.456', user_id: 'u1', timestamp_micros: MICROS }

const parsed = (event: unknown) => parseEvent(event, { nowMs: NOW_MS, newId: () => 'new' })

function canonical(event: unknown, body: Fields = BODY, index = 0) {
  return eventsOfGa4(event, body, index).map((one) => {
    const result = parsed(one)
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusal))
    return result.event
  })
}

function refusals(event: unknown, body: Fields = BODY) {
  return eventsOfGa4(event, body, 0).map((one) => {
    const result = parsed(one)
    return result.kind === 'refused' ? result.refusal.pointer : null
  })
}

const purchase = {
  name: 'purchase',
  params: {
    transaction_id: 'T1',
    value: 30,
    currency: 'USD',
    coupon: 'all',
    session_id: '77',
    items: [
      { item_id: 'p1', price: 10, quantity: 2, index: 0, coupon: 'one' },
      { item_id: 'p2', price: '10', item_name: 'Two' },
    ],
  },
}

test('a purchase: one event per item, position from 1, what is of the whole on the first', () => {
  const events = canonical(purchase, {
    ...BODY,
    user_properties: { tier: { value: 'gold' } },
    user_data: 'x',
  })
  expect(events).toMatchObject([
    {
      user_id: 'u1',
      anonymous_id: '123.456',
      session_id: '123.456.77',
      action: 'purchase',
      product_id: 'p1',
      ts: NOW_MS - 5_000,
      price: 10,
      quantity: 2,
      order_id: 'T1',
      position: 1,
      properties: {
        coupon: 'one',
        shared: {
          value: 30,
          currency: 'USD',
          coupon: 'all',
          event_name: 'purchase',
          user_properties: { tier: { value: 'gold' } },
        },
      },
    },
    { product_id: 'p2', price: 10, order_id: 'T1', position: null, properties: { item_name: 'Two' } },
  ])
  expect(JSON.stringify(events)).not.toContain('user_data')
})

test.each([
  ['view_item', { items: [{ item_id: 'p' }] }, { action: 'view', product_id: 'p' }],
  ['select_item', { items: [{ item_id: 'p', index: 4 }] }, { action: 'click', position: 5 }],
  ['add_to_cart', { items: [{ item_id: 'p', quantity: 2 }] }, { action: 'add_to_cart', quantity: 2 }],
  ['remove_from_cart', { items: [{ item_id: 'p' }] }, { action: 'remove_from_cart', product_id: 'p' }],
  ['search', { search_term: 'shoes' }, { action: 'search', query: 'shoes' }],
  [
    'view_search_results',
    { search_term: 'shoes', items: [{ item_id: 'p' }] },
    { action: 'search', product_id: null },
  ],
  ['view_item_list', { items: [{ item_id: 'p' }] }, { action: 'view_item_list', product_id: 'p' }],
  ['add_to_wishlist', { items: [{ item_id: 'p' }] }, { action: 'add_to_wishlist', product_id: 'p' }],
  ['begin_checkout', { value: 3 }, { action: 'begin_checkout', properties: { value: 3 } }],
  ['tutorial_begin', {}, { action: 'tutorial_begin' }],
])('%s', (name, params, expected) => {
  expect(canonical({ name, params })).toMatchObject([expected])
})

describe('ids', () => {
  const ids = (event: unknown, body: Fields = BODY, index = 0) =>
    eventsOfGa4(event, body, index).map((one) => (one as { event_id?: string }).event_id)

  test('are the same for the same body, and others for another visitor, time, place or content', () => {
    const first = ids(purchase)
    expect(ids(structuredClone(purchase))).toEqual(first)
    expect(first[1]).toBe(first[0]?.replace(/:1$/, ':2'))
    const others = [
      ids(purchase, { ...BODY, client_id: '9' }),
      ids(purchase, { ...BODY, timestamp_micros: MICROS + 1 }),
      ids(purchase, BODY, 1),
      ids({ ...purchase, params: { ...purchase.params, value: 31 } }),
    ].map(([id]) => id)
    expect(new Set([first[0], ...others]).size).toBe(5)
  })

  test('are not made without a timestamp; an event’s own comes first', () => {
    expect(ids(purchase, { client_id: 'c' })).toEqual([undefined, undefined])
    const own = { ...purchase, timestamp_micros: String(MICROS - 1_000_000) }
    expect(canonical(own)[0]?.ts).toBe(NOW_MS - 6_000)
    expect(canonical(purchase, { client_id: 'c' })[0]).toMatchObject({ event_id: 'new', ts: NOW_MS })
  })
})

test('what cannot be used is refused with its place', () => {
  expect(refusals(7)).toEqual([''])
  expect(refusals({ params: {} })).toEqual(['/name'])
  expect(refusals({ name: 'view_item', params: { items: [{ item_name: 'x' }, 3] } })).toEqual([
    '/product_id',
    '/params/items/1',
  ])
  expect(refusals({ name: 'search' }, { timestamp_micros: MICROS })).toEqual(['/user_id'])
  expect(refusals({ name: 'search' }, { client_id: 'c', timestamp_micros: 'soon' })).toEqual(['/ts'])
  expect(refusals({ name: 'search' }, { client_id: 'c', timestamp_micros: NOW_MS })).toEqual(['/ts'])
})

test('never throws and always says something, whatever JSON it is given', () => {
  const event = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        name: fc.oneof(fc.constantFrom('purchase', 'view_item', 'search', '__proto__'), fc.jsonValue()),
        params: fc.oneof(fc.record({ items: fc.array(fc.jsonValue()) }), fc.jsonValue()),
        timestamp_micros: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )
  const body = fc.dictionary(
    fc.constantFrom('client_id', 'user_id', 'timestamp_micros', 'user_properties'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(event, body, fc.nat(), (raw, around, index) => {
      const events = eventsOfGa4(raw, around, index)
      expect(events.length).toBeGreaterThan(0)
      for (const one of events) expect(parsed(one).kind).toMatch(/event|refused/)
    }),
    { numRuns: 500 },
  )
})
