import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEvent } from './event-schema.ts'
import { readLoggedEvent } from './logged-event.ts'

const place = { topic: 'clicks', partition: 2, offset: 7, timestampMs: 1_790_000_000_000 }

test('what ingest wrote is taken as it stands', () => {
  const action = fc.constantFrom('view', 'purchase', 'search')
  const id = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '')
  const sent = fc.record({
    user_id: id,
    action,
    product_id: id,
    price: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true })),
    properties: fc.option(
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.string(),
      ),
    ),
  })
  fc.assert(
    fc.property(sent, (raw) => {
      const ingested = parseEvent(raw, { nowMs: 1_780_000_000_000, newId: () => 'an-id' })
      if (ingested.kind !== 'event') return
      const written = JSON.stringify(ingested.event)
      expect(JSON.stringify(readLoggedEvent(written, place))).toBe(
        JSON.stringify({ kind: 'event', event: JSON.parse(written) }),
      )
    }),
  )
})

test('of a foreign producer: numbers as ids become text, what is missing comes from the record, the rest goes to properties', () => {
  const raw = '{"user_id": 12345678901234567890, "action": "view", "product_id": 42, "shelf": "top"}'
  const read = readLoggedEvent(raw, place)
  expect(read).toEqual(readLoggedEvent(raw, place))
  expect(read).toMatchObject({
    kind: 'event',
    event: {
      event_id: 'clicks/2/7@1790000000000',
      user_id: '12345678901234567890',
      product_id: '42',
      ts: place.timestampMs,
      received_at: place.timestampMs,
      price: null,
      properties: { shelf: 'top' },
    },
  })
})

test.each([
  ['no JSON', '{"user_id": 1', 'the entry is not JSON'],
  ['nothing', '', 'the entry is not JSON'],
  ['a list', '[{"user_id": 1}]', 'an event is a JSON object, found an array'],
  ['null', 'null', 'an event is a JSON object, found null'],
  ['nobody', '{"action": "view", "product_id": "a"}', 'give a user_id, an anonymous_id or a session_id'],
  [
    'a price in words',
    '{"user_id": 1, "action": "view", "product_id": "a", "price": "free"}',
    'price is a number',
  ],
  ['a time in seconds', '{"user_id": 1, "action": "search", "ts": 1790000000}', 'is the unit milliseconds?'],
  [
    'a deep nest',
    `{"user_id": 1, "action": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    'nests deeper than',
  ],
])('%s is refused with its reason', (_, raw, reason) => {
  const read = readLoggedEvent(raw, place)
  expect(read.kind).toBe('refused')
  if (read.kind === 'refused') expect(read.refusal.reason).toContain(reason)
})

test('who writes every field cannot write others into them that would be read', () => {
  const event = { ...canonical(), price: 'free', quantity: [], received_at: 'now' }
  expect(readLoggedEvent(JSON.stringify(event), place)).toMatchObject({
    kind: 'event',
    event: { price: null, quantity: null, received_at: place.timestampMs },
  })
  const nested = JSON.stringify({ ...canonical(), action: 'X' }).replace(
    '"X"',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  )
  expect(readLoggedEvent(nested, place)).toMatchObject({ kind: 'refused' })
})

function canonical() {
  const parsed = parseEvent(
    { user_id: 1, action: 'search' },
    { nowMs: place.timestampMs, newId: () => 'an-id' },
  )
  if (parsed.kind === 'refused') throw new Error(parsed.refusal.reason)
  return parsed.event
}
