import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog } from '@arus/event-log'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEvent } from './event-schema.ts'
import type { Ingest } from './ingest.ts'
import { createIngest } from './log-ingest.ts'
import { topicNames } from './topics.ts'

const NOW = Date.UTC(2026, 2, 10)
const context = { nowMs: NOW, newId: () => 'new-id' }
const topics = topicNames('shop')
const parse = (raw: unknown) => parseEvent(raw, context)

describe('one event', () => {
  test('what the seed project sends is an event: numbers as ids become text, the time is now', () => {
    expect(parse({ user_id: 1, action: 'view', product_id: 'B001LAPTOP' })).toMatchObject({
      kind: 'event',
      event: {
        event_id: 'new-id',
        user_id: '1',
        action: 'view',
        product_id: 'B001LAPTOP',
        ts: NOW,
        received_at: NOW,
        price: null,
        properties: null,
      },
    })
  })

  test('fields nobody knows are kept as properties', () => {
    expect(
      parse({ user_id: 'a', action: 'search', query: 'shoes', device: 'phone', properties: { ab: 1 } }),
    ).toMatchObject({
      event: { query: 'shoes', properties: { ab: 1, device: 'phone' } },
    })
  })

  test('times are milliseconds or ISO 8601 with a zone', () => {
    expect(parse({ user_id: 1, action: 'x', ts: '2026-03-09T10:00:00+07:00' })).toMatchObject({
      event: { ts: Date.UTC(2026, 2, 9, 3) },
    })
    expect(parse({ user_id: 1, action: 'x', ts: NOW - 5.5 })).toMatchObject({ event: { ts: NOW - 6 } })
  })

  test.each([
    ['a text', 'hello', ''],
    ['null', null, ''],
    ['an array', [], ''],
    ['nobody', { action: 'view', product_id: 'x' }, '/user_id'],
    ['no action', { user_id: 1 }, '/action'],
    ['an odd action', { user_id: 1, action: 'View Product' }, '/action'],
    ['no product', { user_id: 1, action: 'view' }, '/product_id'],
    ['an id that is an object', { user_id: {}, action: 'x' }, '/user_id'],
    ['an id a number cannot hold', { user_id: 2 ** 60, action: 'x' }, '/user_id'],
    ['an endless id', { user_id: 'x'.repeat(300), action: 'x' }, '/user_id'],
    ['a price in words', { user_id: 1, action: 'x', price: '9.99' }, '/price'],
    ['a negative quantity', { user_id: 1, action: 'x', quantity: -1 }, '/quantity'],
    ['a time without zone', { user_id: 1, action: 'x', ts: '2026-03-09 10:00' }, '/ts'],
    ['a time in seconds', { user_id: 1, action: 'x', ts: NOW / 1000 }, '/ts'],
    ['a time two days ahead', { user_id: 1, action: 'x', ts: NOW + 2 * 86_400_000 }, '/ts'],
    ['a position of zero', { user_id: 1, action: 'x', position: 0 }, '/position'],
    ['properties that are a list', { user_id: 1, action: 'x', properties: [] }, '/properties'],
    [
      'properties too deep',
      { user_id: 1, action: 'x', properties: { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } } },
      '/properties',
    ],
    [
      'properties too long',
      { user_id: 1, action: 'x', properties: { a: 'x'.repeat(20_000) } },
      '/properties',
    ],
  ])('%s is refused, with the place', (_, raw, pointer) => {
    expect(parse(raw)).toMatchObject({
      kind: 'refused',
      refusal: { pointer, reason: expect.stringMatching(/.{10}/) },
    })
  })

  test('anything at all gives an event or a refusal; prototypes stay clean', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, maxDepth: 4 }), (raw) => {
        expect(['event', 'refused']).toContain(parse(raw).kind)
      }),
    )
    parse(
      JSON.parse(
        '{"user_id": 1, "action": "x", "__proto__": {"polluted": true}, "properties": {"__proto__": {"polluted": true}}}',
      ),
    )
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('ingest', () => {
  let folder = ''
  let log: EventLog
  let ingest: Ingest
  const applied = new Set<string>()
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'arus-ingest-'))
    log = await openLmdbEventLog({ folder })
    for (const topic of Object.values(topics)) await log.ensureTopic(topic, { partitionCount: 2 })
    applied.clear()
    ingest = createIngest({
      log,
      topics,
      isKnown: async (ids) => ids.map((id) => applied.has(id)),
      now: () => NOW,
      inFlightMax: 1_000,
    })
  })
  afterEach(async () => {
    await log.close()
    rmSync(folder, { recursive: true })
  })

  const entries = async (topic: string) =>
    (await Promise.all([0, 1].map((partition) => log.read(topic, partition, 0, 10_000)))).flatMap(
      (batch) => batch.entries,
    )
  const one = (event_id: string) => ({ event_id, user_id: event_id, action: 'view', product_id: 'p' })

  test('a bad event does not sink the batch, and is kept with its reason', async () => {
    expect(await ingest.accept([one('a'), { user_id: 1 }, one('b')])).toMatchObject({
      accepted: 2,
      duplicates: 0,
      rejected: 1,
      errors: [{ index: 1, pointer: '/action' }],
    })
    expect(await entries(topics.events)).toHaveLength(2)
    const [rejected] = await entries(topics.rejected)
    expect(JSON.parse(Buffer.from(rejected!.value).toString())).toMatchObject({
      raw: '{"user_id":1}',
      pointer: '/action',
    })
  })

  test('an event counts once: in one batch, at the same time, later, and after a restart', async () => {
    applied.add('old')
    const results = await Promise.all([
      ingest.accept([one('a'), one('a')]),
      ingest.accept([one('a'), one('old'), one('b')]),
    ])
    const later = await ingest.accept([one('b')])
    const totals = [...results, later].reduce(
      (sum, { accepted, duplicates }) => [sum[0]! + accepted, sum[1]! + duplicates],
      [0, 0],
    )
    expect(totals).toEqual([2, 4])
    expect(await entries(topics.events)).toHaveLength(2)
  })

  test('what could not be written can be sent again', async () => {
    const broken = {
      ...log,
      append: async () => Promise.reject(new RangeError('disk')),
    } as unknown as EventLog
    let current = broken
    const proxy = {
      append: (...args: Parameters<EventLog['append']>) =>
        current === broken ? broken.append(...args) : log.append(...args),
    } as EventLog
    const shaky = createIngest({
      log: proxy,
      topics,
      isKnown: async (ids) => ids.map(() => false),
      now: () => NOW,
    })
    const [first, second] = await Promise.allSettled([shaky.accept([one('a')]), shaky.accept([one('a')])])
    expect([first!.status, second!.status]).toEqual(['rejected', 'rejected'])
    current = log
    expect(await shaky.accept([one('a')])).toMatchObject({ accepted: 1 })
  })

  test('where another request is writing some of the events, the rest stands after them, or not at all', async () => {
    const writes: PromiseWithResolvers<void>[] = []
    const slow = {
      append: async (...args: Parameters<EventLog['append']>) => {
        const write = Promise.withResolvers<void>()
        writes.push(write)
        await write.promise
        return log.append(...args)
      },
    } as EventLog
    const options = {
      topics,
      isKnown: async (ids: readonly string[]) => ids.map(() => false),
      now: () => NOW,
    }
    const overlapping = createIngest({ ...options, log: slow })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const first = overlapping.accept([one('a')])
    const both = overlapping.accept([one('a'), one('b'), one('b')])
    await turn()
    expect(writes).toHaveLength(1)
    writes[0]!.reject(new RangeError('disk'))
    expect((await Promise.allSettled([first, both])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ])
    expect(await entries(topics.events)).toEqual([])
    const again = overlapping.accept([one('a')])
    const bothAgain = overlapping.accept([one('a'), one('b'), one('b')])
    await turn()
    writes[1]!.resolve()
    await again
    await turn()
    writes[2]!.resolve()
    expect(await bothAgain).toMatchObject({ accepted: 1, duplicates: 2 })
    expect((await entries(topics.events)).map(({ key }) => key).sort()).toEqual(['a', 'b'])
  })

  test('too much at once is refused before memory grows', async () => {
    await expect(ingest.accept(Array.from({ length: 1_001 }, (_, i) => one(`x${i}`)))).rejects.toMatchObject({
      code: 'INGEST_OVERLOADED',
    })
    expect(await ingest.accept([one('a')])).toMatchObject({ accepted: 1 })
    expect(ingest.eventsPerSecond()).toBeCloseTo(0.1)
  })
})
