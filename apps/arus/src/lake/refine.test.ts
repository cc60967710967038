import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { ShopEvent } from '../events/event.ts'
import { expectAsAnew } from './expect-as-anew.ts'
import type { Lake } from './lake.ts'
import { compact } from './maintain.ts'
import { DERIVED_TABLES, refine } from './refine.ts'
import { removeShopper } from './remove-shopper.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'
import { modelRollup, modelSilver, type PlacedEvent } from './test-shop-model.ts'

/** Real logs and tables, synced: slow where the disk is. */
vi.setConfig({ testTimeout: 120_000 })

const DAY = Date.UTC(2026, 2, 10)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Changes are followed, however large: what is tested here. */
const BY_CHANGES = { anewAboveShare: Number.POSITIVE_INFINITY }

type Step =
  | { readonly kind: 'events'; readonly events: readonly ShopEvent[] }
  | { readonly kind: 'remove'; readonly shopper: string }
  | { readonly kind: 'compact' }
  | { readonly kind: 'catalogue'; readonly categories: readonly string[] }

const event = fc
  .record({
    id: fc.integer({ min: 0, max: 30 }),
    user: fc.integer({ min: 0, max: 3 }),
    action: fc.constantFrom('view', 'click', 'add_to_cart', 'purchase', 'search', 'wish'),
    product: fc.option(fc.integer({ min: 0, max: 4 })),
    ts: fc.integer({ min: 0, max: 40 }),
    far: fc.boolean(),
    received: fc.integer({ min: 0, max: 9 }),
    session: fc.option(fc.constantFrom('s1', 's2'), { freq: 3 }),
    price: fc.option(fc.constantFrom(0.25, 2, 99.5)),
    quantity: fc.option(fc.constantFrom(1, 3)),
    order: fc.option(fc.constantFrom('o1', 'o2')),
  })
  .map(({ id, user, product, ts, far, received, session, order, ...rest }) =>
    testEvent({
      event_id: `e${id}`,
      user_id: `u${user}`,
      product_id: product === null ? null : `P${product}`,
      ts: DAY + 22 * HOUR + ts * 12 * MINUTE + (far ? 72 * HOUR : 0),
      received_at: DAY + received,
      session_id: session,
      order_id: order,
      ...rest,
    }),
  )
const events: fc.Arbitrary<Step> = fc
  .array(event, { minLength: 1, maxLength: 15 })
  .map((list) => ({ kind: 'events' as const, events: list }))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: events },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 3 }).map((n) => ({ kind: 'remove' as const, shopper: `u${n}` })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'compact' as const }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.constantFrom('Mugs', 'Lamps', 'Toys'), { minLength: 3, maxLength: 5 })
      .map((categories) => ({ kind: 'catalogue' as const, categories })),
  },
)

describe('silver and gold follow bronze', () => {
  test('by changes they are as computed anew, to the row, and as in plain code', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.array(step, { minLength: 2, maxLength: 5 }), async (first, steps) => {
        const shop = await openTestLake()
        try {
          const world = new World(shop)
          for (const one of [first, ...steps]) {
            await world.take(one)
            await refine(shop.lake, BY_CHANGES)
          }
          await world.isRight()
          await expectAsAnew(shop)
        } finally {
          await shop.close()
        }
      }),
      { numRuns: 6 },
    )
  }, 600_000)

  test('new events are appended: no file that stands is written again but those of whole gold tables', async () => {
    const shop = await openTestLake()
    try {
      await shop.send([
        testEvent({ event_id: 'a' }),
        testEvent({ event_id: 'b', user_id: 'budi', ts: DAY - 48 * HOUR }),
      ])
      await shop.flush()
      await refine(shop.lake)
      const before = await filesOf(shop.lake)
      await shop.send([
        testEvent({ event_id: 'c', ts: DAY + HOUR }),
        testEvent({ event_id: 'a', ts: DAY + HOUR }),
      ])
      await shop.flush()
      const { tables } = await refine(shop.lake, BY_CHANGES)
      expect(tables.map(({ table, kind, rowCount }) => [table, kind, rowCount])).toEqual([
        ['silver.events', 'changed', 1],
        ['silver.interactions', 'changed', 1],
        ['gold.hourly_activity', 'changed', 2],
        ['gold.daily_funnel', 'changed', 1],
        ['gold.product_stats', 'changed', 1],
        ['gold.category_stats', 'unchanged', 0],
        ['gold.user_stats', 'changed', 2],
      ])
      const after = await filesOf(shop.lake)
      for (const table of ['silver.events', 'silver.interactions'])
        expect(after[table]).toEqual(expect.arrayContaining(before[table] ?? ['none']))
      expect((await refine(shop.lake)).tables.every(({ kind }) => kind === 'current')).toBe(true)
    } finally {
      await shop.close()
    }
  })

  test('files that are put together are no change', async () => {
    const shop = await openTestLake()
    try {
      for (const id of ['a', 'b', 'c']) {
        await shop.send([testEvent({ event_id: id })])
        await shop.flush()
      }
      await refine(shop.lake)
      expect(await compact(shop.lake, 'bronze.events', 1)).toBe(1)
      const { tables } = await refine(shop.lake)
      expect(new Set(tables.map(({ kind }) => kind))).toEqual(new Set(['unchanged']))
      expect((await refine(shop.lake)).tables.every(({ kind }) => kind === 'current')).toBe(true)
    } finally {
      await shop.close()
    }
  })

  test('a version that cannot be read any more is no obstacle: tables are computed anew', async () => {
    const shop = await openTestLake()
    try {
      await shop.send([testEvent({ event_id: 'a' })])
      await shop.flush()
      await refine(shop.lake)
      await removeShopper(shop.lake, ['ani'])
      await shop.send([testEvent({ event_id: 'b', user_id: 'budi' })])
      await shop.flush()
      await (await shop.lake.table('bronze.events')).vacuum({ retentionMs: -1_000, isForced: true })
      const { tables } = await refine(shop.lake, BY_CHANGES)
      expect(tables[0]).toMatchObject({ table: 'silver.events', kind: 'anew', rowCount: 1 })
      expect(await shop.rows('SELECT shopper FROM {gold.user_stats}')).toEqual([['budi']])
    } finally {
      await shop.close()
    }
  })
})

/** What was done to the lake, kept in plain values beside it. */
class World {
  readonly #shop: TestLake
  readonly #removedUntil = new Map<string, Map<number, number>>()
  #categories = new Map<string, string>()

  constructor(shop: TestLake) {
    this.#shop = shop
  }

  async take(step: Step): Promise<void> {
    const { lake } = this.#shop
    if (step.kind === 'events') {
      await this.#shop.send(step.events)
      await this.#shop.flush()
    } else if (step.kind === 'remove') {
      this.#removedUntil.set(step.shopper, await this.#ends())
      await removeShopper(lake, [step.shopper])
    } else if (step.kind === 'compact') {
      for (const table of ['bronze.events', 'silver.events', 'silver.interactions'] as const)
        await compact(lake, table, 1)
    } else {
      this.#categories = new Map(step.categories.map((category, i) => [`P${i}`, category]))
      await lake.write('silver.products', productsSql(this.#categories), { mode: 'overwrite' })
    }
  }

  async isRight(): Promise<void> {
    const silver = modelSilver(await this.#placed(), this.#categories)
    const { rows } = this.#shop
    const told = silver.map(({ event, shopper, session, category, partition, offset }) => [
      ...[event.event_id, shopper, session, category],
      ...[event.ts, partition, offset],
    ])
    expect(
      await rows(
        'SELECT event_id, shopper, session, category, epoch_ms(ts), log_partition, log_offset FROM {silver.events} ORDER BY event_id',
      ),
    ).toEqual(told.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)))
    const columns = 'events, purchases, shoppers, revenue'
    expect(await rows(`SELECT product_id, ${columns} FROM {gold.product_stats} ORDER BY 1`)).toEqual(
      modelRollup(silver, ({ event }) => event.product_id),
    )
    expect(
      await rows(`SELECT category, ${columns} FROM {gold.category_stats} WHERE events > 0 ORDER BY 1`),
    ).toEqual(modelRollup(silver, ({ category }) => category))
    expect(
      await rows(
        `SELECT strftime(hour_start, '%Y-%m-%dT%H'), events, purchases, active_users, revenue FROM {gold.hourly_activity} ORDER BY 1`,
      ),
    ).toEqual(modelRollup(silver, ({ event }) => new Date(event.ts).toISOString().slice(0, 13)))
    expect(
      await rows('SELECT shopper, events, purchases, 1, revenue FROM {gold.user_stats} ORDER BY 1'),
    ).toEqual(modelRollup(silver, ({ shopper }) => shopper))
    expect(
      await rows('SELECT product_id, epoch_ms(last_event_at) FROM {gold.product_stats} ORDER BY 1'),
    ).toEqual(
      modelRollup(silver, ({ event }) => event.product_id).map(([product]) => [
        product,
        Math.max(...silver.flatMap(({ event }) => (event.product_id === product ? [event.ts] : []))),
      ]),
    )
  }

  /** Every event of the log that was not removed. */
  async #placed(): Promise<PlacedEvent[]> {
    const placed: PlacedEvent[] = []
    for (const partition of (await this.#ends()).keys()) {
      const { entries } = await this.#shop.log.read(TEST_TOPICS.events, partition, 0, 10_000)
      for (const { offset, value } of entries) {
        const event = JSON.parse(Buffer.from(value).toString()) as ShopEvent
        const until = this.#removedUntil.get(event.user_id ?? '')?.get(partition) ?? 0
        if (offset >= until) placed.push({ event, partition, offset })
      }
    }
    return placed
  }

  async #ends(): Promise<Map<number, number>> {
    const { partitions } = await this.#shop.log.topic(TEST_TOPICS.events)
    return new Map(partitions.map(({ partition, endOffset }) => [partition, endOffset]))
  }
}

async function filesOf(lake: Lake): Promise<Record<string, string[]>> {
  const files: Record<string, string[]> = {}
  for (const table of DERIVED_TABLES)
    files[table] = [...(await (await lake.table(table)).snapshot()).files.keys()]
  return files
}

function productsSql(categories: ReadonlyMap<string, string>): string {
  const rows = [...categories].map(([id, category]) => `('${id}', 'Title of ${id}', '${category}')`)
  return `SELECT product_id, title, NULL AS image_url, NULL AS product_url, NULL AS stars, NULL AS reviews, NULL AS price,
      NULL AS list_price, NULL AS discount, NULL AS category_id, category, false AS is_best_seller, NULL AS bought_in_last_month
    FROM (VALUES ${rows.join(', ')}) v(product_id, title, category)`
}
