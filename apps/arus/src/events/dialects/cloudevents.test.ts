import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEvent } from '../event-schema.ts'
import { eventOfCloudEvent } from './cloudevents.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12)
const parsed = (raw: unknown) => parseEvent(eventOfCloudEvent(raw), { nowMs: NOW_MS, newId: () => 'new' })
const envelope = {
  specversion: '1.0',
  id: 'A-1',
  source: '/shop/web',
  type: 'com.shop.product.view',
  time: '2026-01-15T11:59:00Z',
  datacontenttype: 'application/json',
  subject: 'p1',
  data: { user_id: 1, product_id: 'p1', ts: 5, colour: 'red' },
}

test('source and id are the id, time the time, the last part of the type the action', () => {
  expect(parsed(envelope)).toMatchObject({
    kind: 'event',
    event: {
      event_id: '/shop/web A-1',
      user_id: '1',
      action: 'view',
      product_id: 'p1',
      ts: NOW_MS - 60_000,
      properties: {
        colour: 'red',
        cloudevent: { source: '/shop/web', type: 'com.shop.product.view', subject: 'p1' },
      },
    },
  })
})

test.each([
  [{ type: 'com.shop.product.add-to-cart' }, { action: 'add_to_cart' }],
  [{ type: 'com.shop.view.v2' }, { action: 'view' }],
  [{ type: 'view' }, { action: 'view' }],
  [{ data: { ...envelope.data, action: 'click' } }, { action: 'click' }],
  [{ time: undefined, data: { ...envelope.data, ts: NOW_MS - 1 } }, { ts: NOW_MS - 1 }],
])('%j', (change, expected) => {
  expect(parsed({ ...envelope, ...change })).toMatchObject({ kind: 'event', event: expected })
})

test('pairs too long for an id stay apart', () => {
  const idOf = (id: string) => {
    const result = parsed({ ...envelope, id })
    return result.kind === 'event' ? result.event.event_id : result.refusal
  }
  expect(idOf(`${'x'.repeat(300)}1`)).not.toEqual(idOf(`${'x'.repeat(300)}2`))
  expect(idOf('x'.repeat(300))).toMatch(/^sha256-/)
})

test.each([
  [{ specversion: '0.3' }, '/specversion'],
  [{ id: '' }, '/id'],
  [{ source: undefined }, '/source'],
  [{ type: 7 }, '/type'],
  [{ type: '...' }, '/action'],
  [{ data: 'text' }, '/data'],
  [{ data: undefined, data_base64: 'e30=' }, '/data'],
  [{ time: 'yesterday' }, '/ts'],
])('%j is refused at %s', (change, pointer) => {
  expect(parsed({ ...envelope, ...change })).toMatchObject({ kind: 'refused', refusal: { pointer } })
})

test('never throws, whatever JSON it is given', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc
      .dictionary(fc.constantFrom(...Object.keys(envelope), '__proto__'), fc.jsonValue())
      .map((change) => ({ ...envelope, ...change })),
  )
  fc.assert(
    fc.property(anything, (raw) => {
      expect(parsed(raw).kind).toMatch(/event|refused/)
    }),
    { numRuns: 500 },
  )
})
