import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEvent } from '../event-schema.ts'
import { Unmapped } from '../unmapped.ts'
import { eventsOfSegment, SEGMENT_CALLS, type SegmentContext } from './segment.ts'

const RECEIVED_MS = Date.UTC(2026, 0, 15, 12)
const context: SegmentContext = { receivedMs: RECEIVED_MS }

/** The canonical events ingest makes of a message; fails on a refused one. */
function canonical(message: unknown, given: SegmentContext = context) {
  return eventsOfSegment(message, given).map((event) => {
    const parsed = parseEvent(event, { nowMs: RECEIVED_MS, newId: () => 'new' })
    if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.refusal))
    return parsed.event
  })
}

function refusals(message: unknown) {
  return eventsOfSegment(message, context).map((event) => {
    const parsed = parseEvent(event, { nowMs: RECEIVED_MS, newId: () => 'new' })
    return parsed.kind === 'refused' ? parsed.refusal.pointer : null
  })
}

const track = (event: string, properties: object, more: object = {}) => ({
  type: 'track',
  messageId: 'm1',
  userId: 'u1',
  event,
  properties,
  ...more,
})

test('a viewed product: the fields of the ecommerce spec, all else as properties, no key and no clocks', () => {
  expect(
    canonical(
      track(
        'Product Viewed',
        {
          product_id: 507,
          sku: 'G-32',
          price: '18.99',
          quantity: 1,
          position: 3,
          brand: 'Hasbro',
          coupon: null,
        },
        {
          anonymousId: 'a1',
          context: { sessionId: 99, page: { path: '/p' } },
          writeKey: 'secret',
          integrations: { All: true },
        },
      ),
    ),
  ).toEqual([
    {
      event_id: 'm1',
      user_id: 'u1',
      anonymous_id: 'a1',
      session_id: 'a1.99',
      action: 'view',
      product_id: '507',
      ts: RECEIVED_MS,
      received_at: RECEIVED_MS,
      price: 18.99,
      quantity: 1,
      order_id: null,
      recommendation_id: null,
      position: 3,
      query: null,
      properties: {
        sku: 'G-32',
        brand: 'Hasbro',
        context: { sessionId: 99, page: { path: '/p' } },
        event_name: 'Product Viewed',
      },
    },
  ])
})

test('an order: one purchase per line, ids by place, what is of the whole order on its first line', () => {
  const order = {
    order_id: 'o1',
    total: 30,
    coupon: 'all',
    products: [
      { product_id: 'p1', price: 10, quantity: 2, coupon: 'one' },
      { sku: 's2', price: 10 },
    ],
  }
  expect(canonical(track('Order Completed', order, { context: { ip: '::1' } }))).toMatchObject([
    {
      event_id: 'm1:1',
      action: 'purchase',
      product_id: 'p1',
      order_id: 'o1',
      price: 10,
      quantity: 2,
      properties: {
        coupon: 'one',
        shared: { total: 30, coupon: 'all', context: { ip: '::1' }, event_name: 'Order Completed' },
      },
    },
    { event_id: 'm1:2', action: 'purchase', product_id: 's2', order_id: 'o1', properties: {} },
  ])
})

test('a messageId as long as an id may be leaves room for lines', () => {
  const ids = canonical(
    track('Order Completed', { products: [{ sku: 'a' }, { sku: 'b' }] }, { messageId: 'm'.repeat(256) }),
  ).map(({ event_id }) => event_id)
  expect(new Set(ids).size).toBe(2)
})

test('a bad line of an order is refused alone; an order without lines and product is refused', () => {
  expect(refusals(track('Order Completed', { products: [{ product_id: 'p1' }, 7, {}] }))).toEqual([
    null,
    '/properties/products/1',
    '/product_id',
  ])
  expect(refusals(track('Order Completed', { products: [], total: 3 }))).toEqual(['/product_id'])
})

test.each([
  ['Products Searched', { query: 'shoes' }, { action: 'search', query: 'shoes' }],
  ['product clicked', { product_id: 'p' }, { action: 'click', product_id: 'p' }],
  ['Viewed Product', { product_id: 'p' }, { action: 'view' }],
  [
    'Product Added',
    { product_id: 'p', quantity: 'many' },
    { action: 'add_to_cart', quantity: null, properties: { quantity: 'many' } },
  ],
  ['Checkout Started', { order_id: 'o', value: 3 }, { action: 'begin_checkout', order_id: 'o' }],
  ['Coupon Entered', {}, { action: 'coupon_entered' }],
  ['userSignedUp', {}, { action: 'user_signed_up' }],
])('track %s', (event, properties, expected) => {
  expect(canonical(track(event, properties))).toMatchObject([expected])
})

test('the other calls keep what they say', () => {
  const call = (type: string, more: object) => canonical({ type, messageId: 'm', userId: 'u', ...more })[0]
  expect(call('identify', { traits: { plan: 'pro' } })).toMatchObject({
    action: 'identify',
    properties: { traits: { plan: 'pro' } },
  })
  expect(call('page', { name: 'Home', properties: { url: '/' } })).toMatchObject({
    action: 'page_view',
    properties: { name: 'Home', url: '/' },
  })
  expect(call('alias', { previousId: 'a' })).toMatchObject({
    action: 'alias',
    properties: { previousId: 'a' },
  })
  expect(call('group', { groupId: 'g' })).toMatchObject({ action: 'group', properties: { groupId: 'g' } })
  expect(call('screen', { name: 'Cart' })).toMatchObject({ action: 'screen_view' })
})

describe('the time', () => {
  const at = (message: object, sentAt?: string) =>
    canonical({ type: 'page', userId: 'u', ...message }, { ...context, sentAt })[0]?.ts
  // The sender's clock is an hour fast: it happened 10 s before sending.
  const timestamp = '2026-01-15T13:00:00.000Z'
  const sentAt = '2026-01-15T13:00:10.000Z'

  test('is counted back from receipt by the sender’s own clock', () => {
    expect(at({ timestamp, sentAt })).toBe(RECEIVED_MS - 10_000)
    expect(at({ timestamp }, sentAt)).toBe(RECEIVED_MS - 10_000)
    expect(at({ originalTimestamp: timestamp, timestamp: sentAt, sentAt })).toBe(RECEIVED_MS - 10_000)
  })

  test('stands as sent without sentAt, is receipt when there is none, is refused when it is none', () => {
    expect(at({ timestamp: '2026-01-15T11:00:00+00:00' })).toBe(RECEIVED_MS - 3_600_000)
    expect(at({ sentAt })).toBe(RECEIVED_MS)
    expect(refusals({ type: 'page', userId: 'u', timestamp: 'soon' })).toEqual(['/ts'])
  })

  test('counted back is the same whatever the sender’s clock shows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e10, max: 1e10 }),
        fc.integer({ min: 0, max: 1e9 }),
        (skewMs, waitedMs) => {
          const sentMs = RECEIVED_MS + skewMs
          const message = {
            timestamp: new Date(sentMs - waitedMs).toISOString(),
            sentAt: new Date(sentMs).toISOString(),
          }
          expect(at(message)).toBe(RECEIVED_MS - waitedMs)
        },
      ),
    )
  })
})

test('what is no message is refused with its reason, and kept as it came', () => {
  expect(eventsOfSegment(7, context)).toEqual([new Unmapped(7, '', expect.any(String))])
  expect(refusals({ userId: 'u' })).toEqual(['/type'])
  expect(refusals({ type: 'delete', userId: 'u', user_id: 'u', action: 'view' })).toEqual(['/type'])
  expect(refusals({ type: 'track', userId: 'u' })).toEqual(['/event'])
  expect(refusals({ type: 'page' })).toEqual(['/user_id'])
  expect(JSON.stringify(eventsOfSegment({ type: 'x' }, context))).toBe('[{"type":"x"}]')
})

test('what is of the whole order stays when its first line is no product', () => {
  const [bad, good] = eventsOfSegment(
    track('Order Completed', { order_id: 'o1', total: 30, products: [7, { product_id: 'p1' }] }),
    context,
  )
  expect(bad).toBeInstanceOf(Unmapped)
  expect(good).toMatchObject({ product_id: 'p1', properties: { shared: { total: 30 } } })
})

test('never throws and always says something, whatever JSON it is given', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        type: fc.oneof(fc.constantFrom(...SEGMENT_CALLS), fc.jsonValue()),
        event: fc.oneof(fc.constantFrom('Order Completed', 'Product Viewed', '__proto__'), fc.jsonValue()),
        properties: fc.oneof(fc.record({ products: fc.array(fc.jsonValue()) }), fc.jsonValue()),
        messageId: fc.jsonValue(),
        userId: fc.jsonValue(),
        context: fc.jsonValue(),
        timestamp: fc.jsonValue(),
        sentAt: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )
  fc.assert(
    fc.property(
      anything,
      fc.option(fc.constantFrom(...SEGMENT_CALLS), { nil: undefined }),
      (message, call) => {
        const events = eventsOfSegment(message, call === undefined ? context : { ...context, call })
        expect(events.length).toBeGreaterThan(0)
        for (const event of events) {
          expect(parseEvent(event, { nowMs: RECEIVED_MS, newId: () => 'n' }).kind).toMatch(/event|refused/)
        }
      },
    ),
    { numRuns: 500 },
  )
})
