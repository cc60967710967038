import { expect, test } from 'vitest'
import { parseEvent } from '../../events/event-schema.ts'
import { EVENT_TEXT } from './event-text.ts'

const isPlain = (text: string) => new RegExp(EVENT_TEXT, 's').test(text)

/** As ingest writes it into the log. */
function ingested(raw: object): string {
  const parsed = parseEvent(raw, {
    nowMs: 1_790_000_000_000,
    newId: () => '01939f7e-7c00-7000-8000-000000000000',
  })
  if (parsed.kind !== 'event') throw new Error(parsed.refusal.reason)
  return JSON.stringify(parsed.event)
}

test.each([
  { user_id: 1, action: 'view', product_id: 'p' },
  { session_id: 's', action: 'search', query: 'a "b" \\ c\n\u2028 é 😀' },
  {
    anonymous_id: 'a',
    action: 'purchase',
    product_id: 'p',
    price: 0.1,
    quantity: 2.5,
    order_id: 'o',
    position: 3,
  },
  {
    user_id: 'u',
    action: 'click',
    product_id: 'p',
    price: 5e-7,
    recommendation_id: 'r',
    shelf: { a: ['top'] },
  },
  { user_id: 'u', action: 'search', query: 'query":"x","properties":', ts: 1_500_000_000_000 },
])('what ingest writes is of the shape: %j', (raw) => {
  expect(isPlain(ingested(raw))).toBe(true)
})

test('what differs in any way is not', () => {
  const text = ingested({ user_id: 'u', action: 'view', product_id: 'p', price: 1 })
  expect(isPlain(text)).toBe(true)
  const others = [
    text.replace('"price":1', '"price":01'),
    text.replace('"price":1', '"price":"1"'),
    text.replace('"ts":', '"ts": '),
    text.replace('"user_id":"u"', '"user_id":null'),
    text.replace('"user_id":"u"', '"user_id":"u","user_id":"w"'),
    text.replace('"u"', '"\\ud800"'),
    text.replace('"u"', '""'),
    text.replace('"properties":null', '"properties":[]'),
    text.replace('"properties":null', '"properties":null,"more":1'),
    `${text} `,
    `${text}]`,
    text.slice(0, -1),
  ]
  for (const other of others) expect(isPlain(other), other).toBe(false)
})
