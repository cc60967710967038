import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIngest } from '../events/log-ingest.ts'
import { topicNames } from '../events/topics.ts'
import { eventsAt } from '../live/events-at.ts'
import { startLiveProcessor } from '../live/live-processor.ts'
import { explainAnswer } from '../recommend/passport/explain-answer.ts'
import { ExposureLog } from '../recommend/passport/exposure-log.ts'
import { findPassport } from '../recommend/passport/find-passport.ts'
import { createRecommender } from '../recommend/recommender.ts'
import { productNamed, ShopCatalogue, ShopModel } from '../recommend/test-shop.ts'
import { risingIds } from '../rising-ids.ts'
import { openLmdbStateStore } from '../state/lmdb-state-store.ts'
import { openShop } from './test-api.ts'

const DEADLINE_MS = 5_000
const IDEMPOTENCY_WINDOW_MS = 86_400_000

let shop: Awaited<ReturnType<typeof openReal>>
beforeAll(async () => {
  shop = await openReal()
})
afterAll(() => shop.close())

/** The API over the embedded log, state store, live processor and ingest. */
async function openReal() {
  const folder = mkdtempSync(join(tmpdir(), 'arus-api-'))
  const topics = topicNames('test')
  const log = await openLmdbEventLog({ folder: join(folder, 'log') })
  for (const topic of Object.values(topics)) await log.ensureTopic(topic, { partitionCount: 2 })
  const state = await openLmdbStateStore({ folder: join(folder, 'state') })
  const now = Date.now
  const live = await startLiveProcessor({
    log,
    topic: topics.events,
    rejectedTopic: topics.rejected,
    state,
    now,
    idempotencyWindowMs: IDEMPOTENCY_WINDOW_MS,
  })
  const ingest = createIngest({ log, topics, isKnown: (ids) => live.isKnown(ids), now })
  const catalogue = new ShopCatalogue(Array.from({ length: 30 }, (_, i) => productNamed(`p${i}`)))
  const model = new ShopModel({ p0: ['p10', 'p11'], p1: ['p20', 'p21'] })
  const exposures = new ExposureLog({ log, topic: topics.recommendations })
  const recommender = createRecommender({
    catalogue: () => catalogue,
    live: () => live,
    model: () => model,
    onAnswer: (passport) => exposures.add(passport),
    now,
    uuid: risingIds({ now, fillRandom: (bytes) => randomFillSync(bytes) }),
  })
  const { app } = await openShop({
    recommender,
    catalogue: () => catalogue,
    live: () => live,
    ingest: () => ingest,
    passports: {
      explain: (id, options) =>
        explainAnswer(
          {
            find: () => findPassport({ log, topic: topics.recommendations, waiting: exposures }, id),
            trainingOf: async () => null,
            outcomeOf: async () => ({ window_ms: 1, products: [], newest_event_at: null }),
            readEvents: (places) => eventsAt(log, topics.events, places),
            loadModel: async () => model,
            catalogue: () => catalogue,
            rulesAt: async () => null,
            onFault: () => {},
          },
          id,
          options,
        ),
    },
    forget: async (shopper) => ({
      otherNames: 0,
      removed: { 'live state': await live.forget(shopper, {}) },
      remains: [],
      outdatedModels: [],
      modelInService: null,
    }),
    now,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const close = async () => {
    await app.close()
    await exposures.close()
    await live.stop()
    await state.close()
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { app, url, live, log, topics, exposures, close }
}

async function send(body: unknown, contentType = 'application/json') {
  return shop.app.inject({
    method: 'POST',
    url: '/stream/events',
    headers: { 'content-type': contentType },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + DEADLINE_MS
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (performance.now() > endMs) expect.fail(`not within ${DEADLINE_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const topOf = async (user: string) => (await shop.app.inject(`/recommendations/user/${user}?limit=1`)).json()

describe('over the embedded parts', () => {
  test('an accepted event changes the shopper’s answer, whose passport points to it in the log', async () => {
    expect((await topOf('ann')).fallback).toBe('popular')
    expect((await send({ user_id: 'ann', action: 'view', product_id: 'p0' })).json()).toMatchObject({
      accepted: 1,
    })
    const answer = await until(async () => {
      const body = await topOf('ann')
      return body.fallback === null ? body : null
    })
    expect(answer.recommendations).toMatchObject([
      { product_id: 'p10', reason: { because_of: { product_id: 'p0' } } },
    ])
    await shop.exposures.flush()
    const passport = (await shop.app.inject(`/recommendations/${answer.recommendation_id}`)).json()
    const { partition, offset } = passport.events[0]
    const { entries } = await shop.log.read(shop.topics.events, partition, offset, 1)
    expect(JSON.parse(new TextDecoder().decode(entries[0]?.value))).toMatchObject({
      user_id: 'ann',
      product_id: 'p0',
    })
  })

  test('an answer is computed again from the events of the log, though more came since', async () => {
    for (const product_id of ['p1', 'p0', 'p1']) {
      await send({ user_id: 'eve', session_id: 's', action: 'view', product_id })
    }
    const answer = await until(async () => {
      const body = (await shop.app.inject('/recommendations/user/eve?limit=5&session_id=s')).json()
      return body.recommendations[0]?.product_id === 'p20' ? body : null
    })
    await send({ user_id: 'eve', action: 'purchase', product_id: 'p20', price: 5 })
    await until(async () => ((await topOf('eve')).recommendations[0]?.product_id === 'p20' ? null : true))
    await shop.exposures.flush()
    const { recomputed } = (
      await shop.app.inject(`/recommendations/${answer.recommendation_id}?recompute=true`)
    ).json()
    expect(recomputed).toMatchObject({ kind: 'same', reasons: [] })
    expect(recomputed.result.map((item: { product_id: string }) => item.product_id)).toEqual(
      answer.recommendations.map((item: { product_id: string }) => item.product_id),
    )
  })

  test('numbers as ids, duplicates, bad events in a batch, a bad event alone', async () => {
    const event = { event_id: 'e1', user_id: 9007199254740991, action: 'view', product_id: 'p1' }
    expect((await send([event, event])).json()).toMatchObject({ accepted: 1, duplicates: 1 })
    await send('{"user_id":90071992547409931234,"action":"view","product_id":"p1"}')
    await until(async () => ((await topOf('90071992547409931234')).fallback === null ? true : null))
    const mixed = await send([
      { user_id: 'x', action: 'view', product_id: 'p1' },
      { action: 'view' },
      null,
      'text',
    ])
    expect(mixed.statusCode).toBe(200)
    expect(mixed.json()).toMatchObject({ accepted: 1, rejected: 3 })
    const alone = await send({ action: 'view', product_id: 'p1' })
    expect(alone.statusCode).toBe(400)
    expect(alone.json()).toMatchObject({ code: 'REQUEST_INVALID', errors: [{ reason: expect.any(String) }] })
  })

  test('a shopper is known by sessions, categories and prices; a stranger is not', async () => {
    const events = ['p1', 'p2'].map((product_id) => ({ user_id: 'wati', action: 'view', product_id }))
    await send(events)
    const known = await until(async () => {
      const response = await shop.app.inject('/users/wati')
      return response.statusCode === 200 && response.json().events === 2 ? response.json() : null
    })
    expect(known).toMatchObject({
      user_id: 'wati',
      open_sessions: 1,
      sessions: [{ events: 2, purchases: 0, is_open: true }],
      categories: [{ category: 'Toys', share: 1 }],
      price: { low: 20, middle: 20, high: 20 },
    })
    expect((await shop.app.inject('/users/nobody')).statusCode).toBe(404)
    expect((await shop.app.inject('/recommendations/trending/categories')).json()).toEqual({ categories: [] })
  })

  test('the stream of a shopper pushes the change', async () => {
    const controller = new AbortController()
    const response = await fetch(`${shop.url}/stream/recommendations/sam?limit=1`, {
      signal: controller.signal,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    const read = async () => {
      const { value, done } = await reader.read()
      if (done) expect.fail(`The stream ended after ${JSON.stringify(text)}`)
      text += new TextDecoder().decode(value)
    }
    // What is popular, or what trends when the tests before took long enough.
    while (!text.includes('"fallback":"')) await read()
    await send({ user_id: 'sam', action: 'view', product_id: 'p1' })
    while (!text.includes('"fallback":null')) await read()
    controller.abort()
    expect(text.slice(text.lastIndexOf('data: '))).toContain('"product_id":"p20"')
  })

  test('a removed shopper is unknown again', async () => {
    await send({ user_id: 'gone', action: 'view', product_id: 'p0' })
    await until(async () => ((await topOf('gone')).fallback === null ? true : null))
    expect((await shop.app.inject({ method: 'DELETE', url: '/users/gone' })).statusCode).toBe(200)
    expect((await topOf('gone')).fallback).not.toBeNull()
  })

  test('whatever is sent, each event is counted once and nothing fails', async () => {
    const value = fc.oneof(
      fc.anything({ maxDepth: 3 }),
      fc.constantFrom('u1', 'view', 1, 2 ** 53, -1, '', null),
    )
    const event = fc.oneof(
      fc.anything({ maxDepth: 3 }),
      fc.record(
        {
          user_id: value,
          session_id: value,
          action: value,
          product_id: value,
          ts: value,
          price: value,
          properties: value,
        },
        { requiredKeys: [] },
      ),
    )
    const textOf = (sent: unknown) =>
      JSON.stringify(sent, (_key, field) => (typeof field === 'bigint' ? String(field) : field)) ?? 'null'
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 8 }), async (events) => {
        const lines = events.map(textOf)
        const asArray = await send(`[${lines.join(',')}]`)
        expect(asArray.statusCode).toBe(200)
        const { accepted, duplicates, rejected } = asArray.json()
        expect(accepted + duplicates + rejected).toBe(lines.length)
        const asLines = await send(lines.join('\n'), 'application/x-ndjson')
        expect(asLines.statusCode).toBe(lines.length === 0 ? 400 : 200)
      }),
      { numRuns: 100 },
    )
  })
})
