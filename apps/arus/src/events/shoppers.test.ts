import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseEvent } from './event-schema.ts'
import { type BadRow, findMapping, newestTime, replayEvents } from './replay.ts'
import { sendEvents } from './send.ts'
import { type ShopProduct, ShopperSimulation } from './shoppers.ts'

const END = Date.UTC(2026, 2, 10)
const products: ShopProduct[] = Array.from({ length: 3_000 }, (_, i) => ({
  product_id: `P${i}`,
  category_id: i % 12,
  category: `Aisle ${i % 12}`,
  price: 5 + (i % 50),
  popularity: 1 / (1 + i),
}))
const options = {
  products,
  userCount: 200,
  eventCount: 20_000,
  startMs: END - 14 * 86_400_000,
  endMs: END,
  seed: 7,
}
const signal = new AbortController().signal

describe('simulated shoppers', () => {
  const events = [...new ShopperSimulation(options).events()]

  test('as many events as asked for, in order of time, within the period, all of them valid', () => {
    expect(events).toHaveLength(20_000)
    expect(events.every((event, i) => i === 0 || event.ts >= events[i - 1]!.ts)).toBe(true)
    expect(events[0]!.ts).toBeGreaterThanOrEqual(options.startMs)
    expect(events.at(-1)!.ts).toBeLessThanOrEqual(END)
    expect(new Set(events.map((event) => event.event_id)).size).toBe(20_000)
    for (const event of events) expect(parseEvent(event, { nowMs: END, newId: () => 'x' }).kind).toBe('event')
  })

  test('the same seed gives the same events, another seed others', () => {
    expect([...new ShopperSimulation(options).events()].slice(0, 500)).toEqual(events.slice(0, 500))
    expect([...new ShopperSimulation({ ...options, seed: 8 }).events()].slice(0, 5)).not.toEqual(
      events.slice(0, 5),
    )
  })

  test('the funnel narrows, evenings are busier than nights', () => {
    const count = (action: string) => events.filter((event) => event.action === action).length
    expect(count('view')).toBeGreaterThan(count('click'))
    expect(count('click')).toBeGreaterThan(count('add_to_cart'))
    expect(count('add_to_cart')).toBeGreaterThan(count('purchase'))
    expect(count('purchase')).toBeGreaterThan(100)
    const inHours = (from: number, to: number) =>
      events.filter(({ ts }) => (ts / 3_600_000 + 7) % 24 >= from && (ts / 3_600_000 + 7) % 24 < to).length
    expect(inHours(18, 22)).toBeGreaterThan(5 * inHours(1, 5))
  })

  test('shoppers look at what they like far more than chance would', () => {
    const simulation = new ShopperSimulation(options)
    const byId = new Map(products.map((product) => [product.product_id, product]))
    const views = events.filter((event) => event.action === 'view')
    const liked = views.filter(
      (event) => simulation.tasteOf(event.user_id, byId.get(event.product_id!)!) >= 0.3,
    )
    expect(liked.length / views.length).toBeGreaterThan(0.5)
  })
})

describe('sending', () => {
  test('everything arrives once, in batches, whatever the sink’s mood', async () => {
    const seen: unknown[] = []
    let calls = 0
    const report = await sendEvents(
      Array.from({ length: 1_234 }, (_, i) => i),
      {
        sink: async (batch) => {
          calls += 1
          seen.push(...batch)
          return { accepted: batch.length, duplicates: 0, rejected: 0 }
        },
        rate: 0,
        batchSize: 100,
        total: 1_234,
        step: 'sending',
        onProgress: () => {},
        signal,
      },
    )
    expect(report).toMatchObject({ accepted: 1_234 })
    expect(calls).toBe(13)
    expect([...(seen as number[])].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_234 }, (_, i) => i))
  })
})

const shared = process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../../../../shared/data')
const files: readonly (readonly [mapping: string, file: string, rows: number])[] = [
  ['retailrocket', 'retailrocket-2k/events.csv.gz', 97_381],
  ['rees46', 'rees46-2019-oct/2019-Oct.first-rows.csv.gz', 5_019],
  ['yoochoose', 'yoochoose-100k/yoochoose-clicks-100k_test.txt.gz', 13_568],
  ['uci', 'uci-online-retail/online_retail.2010-12_2011-01-09.csv.gz', 49_999],
]

describe.each(files)('replay of %s (skipped where the shared data is absent)', (name, path, rows) => {
  const file = join(shared, path)
  test.skipIf(!existsSync(file))('every row is an event or a bad row with its reason', async () => {
    const mapping = findMapping(name)
    const bad: BadRow[] = []
    const ids = new Set<unknown>()
    const newest = await newestTime(file, mapping, signal)
    for await (const event of replayEvents({
      file,
      mapping,
      speed: Number.POSITIVE_INFINITY,
      shiftMs: END - newest!,
      onBadRow: (row) => bad.push(row),
      signal,
    })) {
      const parsed = parseEvent(event, { nowMs: END, newId: () => 'x' })
      if (parsed.kind === 'refused') throw new Error(`${JSON.stringify(event)}: ${parsed.refusal.reason}`)
      ids.add(event.event_id)
    }
    expect(ids.size + bad.length).toBe(rows)
    expect(bad.every((row) => row.reason !== '' && row.line > 1)).toBe(true)
    if (name !== 'uci') expect(bad).toEqual([])
  })
})

test('an unknown mapping, a missing file and a file that is no CSV are told apart', async () => {
  expect(() => findMapping('nothing')).toThrow(/retailrocket/)
  const replay = replayEvents({
    file: '/no/such.csv',
    mapping: findMapping('uci'),
    speed: 1,
    shiftMs: 0,
    onBadRow: () => {},
    signal,
  })
  await expect(replay.next()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
})
