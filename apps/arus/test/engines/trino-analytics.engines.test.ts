/** Every question of analytics asked of a real Trino and of DuckDB, over the same tables: the same answers, to the row. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Analytics, createAnalytics, type FunnelRequest } from '../../src/analytics/analytics.ts'
import { HOUR_MS, MINUTE_MS } from '../../src/analytics/period.ts'
import {
  answersArbitrary,
  eventsArbitrary,
  periodArbitrary,
  reactionsArbitrary,
  rounded,
  type SilverWriter,
  silverOf,
  WHOLE,
} from '../../src/analytics/test-silver.ts'
import { type OpenParts, openParts } from '../../src/wiring.ts'
import { TrinoShop } from './trino-shop.ts'

const now = () => WHOLE.toMs - MINUTE_MS

let place: TrinoShop
let parts: OpenParts
let silver: SilverWriter
let trino: Analytics
let duckdb: Analytics
beforeAll(async () => {
  place = await TrinoShop.open()
  parts = openParts(place.shop.settings)
  silver = silverOf(await parts.lake())
  await silver.storeTitles()
  const { query } = await parts.analysts()
  trino = createAnalytics({ query, now })
  duckdb = createAnalytics({ query: await parts.query(), now })
})
afterAll(async () => {
  await parts.close()
  await place.destroy()
})

const FUNNELS: readonly FunnelRequest[] = [
  {},
  { splitBy: 'category', groupLimit: 2 },
  { steps: ['view', 'add_to_cart', 'purchase'], order: 'exact', splitBy: 'device' },
  { steps: ['view', 'click', 'search', 'never'], order: 'any', windowMs: 6 * HOUR_MS },
  { order: 'strict', windowMs: HOUR_MS, splitBy: 'a/b~c', where: { property: 'device', value: 'phone' } },
  { steps: ['view', 'purchase'], where: { property: 'category', value: "Kids' toys" } },
]

test('every question over random events', { timeout: 300_000 }, async () => {
  const drawn = [eventsArbitrary, reactionsArbitrary, answersArbitrary, periodArbitrary] as const
  await fc.assert(
    fc.asyncProperty(...drawn, async (doings, reactions, answers, period) => {
      const events = [...doings, ...reactions].map((event, i) => ({
        ...event,
        event_id: `e${i}`,
        log_offset: i,
      }))
      await silver.store(events)
      await silver.storeAnswers(answers)
      const zone = { ...period, timeZone: 'Europe/Berlin' }
      const questions: readonly ((analytics: Analytics) => Promise<object>)[] = [
        (a) => a.userBehavior(period),
        ...FUNNELS.map((funnel) => (a: Analytics) => a.funnel({ ...period, ...funnel })),
        (a) => a.timeline({ ...zone, interval: 'hour' }),
        (a) => a.timeline({ ...zone, interval: 'day' }),
        (a) => a.heatmap(zone),
        (a) => a.trends({ ...zone, interval: 'day' }),
        (a) => a.trends({ ...period, interval: 'hour', category: 'Home' }),
        (a) => a.retention({ ...zone, interval: 'day', periods: 3 }),
        (a) => a.retention({ ...period, interval: 'week', action: 'view', returnAction: 'purchase' }),
        (a) => a.attribution(period),
        (a) => a.attribution({ ...period, windowMs: HOUR_MS }),
        (a) => a.searches(period),
        (a) => a.shopper({ ...period, shopper: 'ani', limit: 3 }),
        ...answers.slice(0, 1).map((answer) => (a: Analytics) => a.outcome(answer)),
      ]
      for (const question of questions)
        expect(figuresOf(await question(trino)), String(question)).toEqual(figuresOf(await question(duckdb)))
    }),
    { numRuns: 3 },
  )
})

/** Without what differs: who computed it and how long that took. A series of none has no order. */
function figuresOf(body: object): unknown {
  const { as_of, series, ...figures } = rounded(body) as Record<string, Record<string, unknown>>
  const { took_ms, engine, ...from } = as_of ?? {}
  const byAction = (series as unknown as { action: string }[] | undefined)?.toSorted((a, b) =>
    a.action < b.action ? -1 : 1,
  )
  return { ...figures, from_tables: from, series: byAction }
}

test('an answer names the engine; while Trino is away DuckDB answers the same, and Trino again later', async () => {
  let nowMs = now()
  const both = createAnalytics({ ...(await parts.analysts()), now: () => nowMs, cacheEntries: 0 })
  const first = await both.userBehavior(WHOLE)
  expect(first.as_of.engine).toBe('trino')
  place.gate.shut()
  const away = await both.userBehavior(WHOLE)
  expect(away.as_of.engine).toBe('duckdb')
  expect(figuresOf(away)).toEqual(figuresOf(first))
  place.gate.open()
  expect((await both.userBehavior(WHOLE)).as_of.engine).toBe('duckdb')
  nowMs += 10_000
  expect((await both.userBehavior(WHOLE)).as_of.engine).toBe('trino')
})

test('a version that is asked of is the one that is read, whatever was written since', async () => {
  const { query } = await parts.analysts()
  const sql = 'SELECT count(*) FROM silver.events'
  const before = await query.query(sql)
  await silver.store([])
  const after = await query.query(sql)
  expect(after.rows).toEqual([[0]])
  expect(after.table_versions['silver.events']).toBeGreaterThan(before.table_versions['silver.events'] ?? 0)
})
