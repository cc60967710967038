import { afterAll, beforeAll, expect, test } from 'vitest'
import { importProducts, newShop, RunningShop, type Shop } from '../forget/shop.ts'

const SHOPPERS = 40
const VISITS = 12
const PRODUCTS = 30
const HOUR = 3_600_000
/** A path that only this shopper took, of products nobody else looked at. */
const LONER = 'loner'
const LONER_PATH = ['B0035', 'B0036', 'B0037']

let shop: Shop
let running: RunningShop
beforeAll(async () => {
  shop = newShop()
  await importProducts(shop)
  running = await RunningShop.start(shop)
  await sendPast()
  await running.server.refineNow()
  await running.train()
}, 180_000)
afterAll(async () => {
  await running.stop()
  shop.destroy()
})

interface Answer {
  readonly recommendation_id: string
  readonly fallback: string | null
  readonly recommendations: readonly {
    readonly product_id: string
    readonly reason: { readonly kind: string; readonly because_of?: { readonly product_id: string } }
  }[]
}

const productAt = (place: number) => `B${String(place % PRODUCTS).padStart(4, '0')}`
const forSession = (session: string) =>
  running.get(`/recommendations/session/${session}?limit=5`) as Promise<Answer>

/** Each visit is a step of seven along a circle of products: what follows is known, what came before is as often seen beside it. */
async function sendPast(): Promise<void> {
  const now = Date.now()
  const visits = Array.from({ length: SHOPPERS * VISITS }, (_, n) => ({
    shopper: `shopper-${n % SHOPPERS}`,
    session: `visit-${n}`,
    start: (n * 11 + Math.floor(n / 7)) % PRODUCTS,
    ts: now - (SHOPPERS * VISITS - n) * HOUR,
  }))
  const events = visits.flatMap(({ shopper, session, start, ts }) =>
    [0, 1].map((step) => ({
      user_id: shopper,
      session_id: session,
      action: step === 0 ? 'click' : 'view',
      product_id: productAt(start + 7 * step),
      ts: ts + step * 60_000,
    })),
  )
  const loner = Array.from({ length: 12 }, (_, visit) =>
    LONER_PATH.map((product_id, step) => ({
      user_id: LONER,
      session_id: `loner-visit-${visit}`,
      action: 'view',
      product_id,
      ts: now - (visit + 1) * 20 * HOUR + step * 1_000,
    })),
  ).flat()
  await running.post('/stream/events', [...events, ...loner])
}

async function click(session: string, product_id: string): Promise<Answer> {
  await running.post('/stream/events', { session_id: session, action: 'click', product_id })
  let answer = await forSession(session)
  for (let look = 0; look < 200 && !isAbout(answer, product_id); look++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    answer = await forSession(session)
  }
  return answer
}

function isAbout({ recommendations }: Answer, product_id: string): boolean {
  return recommendations[0]?.reason.because_of?.product_id === product_id
}

test('clicks of a visitor nobody knows change the answer to what followed in past sessions; it is computed again', async () => {
  const { models } = (await running.get('/models')) as {
    models: { session: { kind: string | null; reason: string } }[]
  }
  expect(models[0]?.session.kind, models[0]?.session.reason).not.toBeNull()

  const first = await click('visitor', productAt(3))
  expect(first.recommendations[0]).toMatchObject({ product_id: productAt(10), reason: { kind: 'session' } })
  const second = await click('visitor', productAt(20))
  expect(second.recommendations[0]).toMatchObject({
    product_id: productAt(27),
    reason: { kind: 'session', because_of: { product_id: productAt(20) } },
  })
  expect(second.fallback).toBeNull()
  const passport = (await running.get(`/recommendations/${second.recommendation_id}?recompute=true`)) as {
    events: { product_id: string }[]
    retrievers: { retriever: string }[]
    recomputed: { kind: string }
  }
  expect(passport.events.map(({ product_id }) => product_id)).toEqual([productAt(20), productAt(3)])
  expect(passport.retrievers.map(({ retriever }) => retriever)).toContain(models[0]?.session.kind)
  expect(passport.recomputed.kind).toBe('same')
}, 60_000)

test('sessions of a shopper who was erased are not in the next model', async () => {
  const before = await click('before', LONER_PATH[0]!)
  expect(before.recommendations[0]?.product_id).toBe(LONER_PATH[1])
  await running.forget(LONER)
  await running.server.refineNow()
  await running.train()
  const model = running.server.models.current()
  const session = LONER_PATH.slice(0, 1).map((product_id) => ({ product_id, weight: 1 }))
  expect(model?.session?.recommend(session, 5)).toEqual([])
}, 120_000)
