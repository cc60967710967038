import { LmdbEventLog } from '@arus/event-log'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { compact } from './maintain.ts'
import { rebuildLake } from './rebuild.ts'
import { DERIVED_TABLES, refine } from './refine.ts'
import { removeShopper } from './remove-shopper.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

/** Real logs and tables, synced: slow where the disk is. */
vi.setConfig({ testTimeout: 120_000 })

const DAY = Date.UTC(2026, 2, 10)
const MINUTE = 60_000
const FROM_LOG = ['bronze.events', 'bronze.rejected_events', 'bronze.recommendations'] as const

const batch = fc.array(
  fc.record({
    id: fc.integer({ min: 0, max: 25 }),
    user: fc.integer({ min: 0, max: 3 }),
    action: fc.constantFrom('view', 'purchase', 'search'),
    minutes: fc.integer({ min: -3_000, max: 3_000 }),
    received: fc.integer({ min: 0, max: 5 }),
  }),
  { minLength: 1, maxLength: 12 },
)

describe('a rebuild', () => {
  test('from bronze and from the log gives the same tables, to the row, after late events, duplicates, broken entries, compaction and removal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 4 }), async (batches) => {
        const shop = await openTestLake()
        try {
          for (const [round, rows] of batches.entries()) {
            await shop.send(
              rows.map(({ id, user, action, minutes, received }) =>
                testEvent({
                  event_id: `e${id}`,
                  user_id: `u${user}`,
                  action,
                  price: 2.5,
                  ts: DAY + minutes * MINUTE,
                  received_at: DAY + received,
                }),
              ),
            )
            await sendOthers(shop, round)
            await shop.flush()
            await refine(shop.lake, { anewAboveShare: Number.POSITIVE_INFINITY })
            if (round === 0) await removeShopper(shop.lake, ['u1'])
            for (const table of FROM_LOG) await compact(shop.lake, table, 1)
          }
          await refine(shop.lake)
          const before = await everyRow(shop)
          for (const from of ['bronze', 'log'] as const) {
            await rebuildLake({ ...shop, topics: TEST_TOPICS, from })
            expect(await everyRow(shop), from).toEqual(before)
          }
          expect((await refine(shop.lake)).tables.map(({ kind }) => kind)).not.toContain('anew')
          expect(await everyRow(shop)).toEqual(before)
        } finally {
          await shop.close()
        }
      }),
      { numRuns: 3 },
    )
  }, 600_000)

  test('repairs bronze that lost rows, and copies on from where it was', async () => {
    const shop = await openTestLake()
    try {
      await shop.send(
        Array.from({ length: 50 }, (_, i) => testEvent({ event_id: `e${i}`, user_id: `u${i % 5}` })),
      )
      await shop.flush()
      await refine(shop.lake)
      const before = await everyRow(shop)
      const { sql } = await shop.lake.relation('bronze.events')
      await shop.lake.write('bronze.events', `SELECT * FROM ${sql} WHERE log_offset % 2 = 0`, {
        mode: 'overwrite',
      })
      await refine(shop.lake)
      expect(await everyRow(shop)).not.toEqual(before)
      const steps: string[] = []
      await rebuildLake({
        ...shop,
        topics: TEST_TOPICS,
        from: 'log',
        onProgress: ({ step }) => steps.push(step),
      })
      expect(await everyRow(shop)).toEqual(before)
      expect(steps).toContain('Rebuilding bronze.events from events partition 0')
      expect(steps).toContain('Computing gold.user_stats')
      await shop.send([testEvent({ event_id: 'later' })])
      await shop.flush()
      expect(await shop.rows('SELECT count(*) FROM {bronze.events}')).toEqual([[51]])
    } finally {
      await shop.close()
    }
  })

  test('keeps what the log no longer has', async () => {
    const shop = await openTestLake({ partitionCount: 1, retentionMs: 86_400_000 })
    try {
      // Longer than a page, so that no block holds both: retention removes whole blocks.
      const properties = { note: 'x'.repeat(5_000) }
      await shop.send([testEvent({ event_id: 'old', received_at: DAY, properties })])
      await shop.send([testEvent({ event_id: 'new', received_at: Date.now() })])
      await shop.flush()
      await refine(shop.lake)
      const before = await everyRow(shop)
      if (!(shop.log instanceof LmdbEventLog))
        throw new Error('The test needs a log whose retention it can enforce')
      await shop.log.enforceRetention()
      expect((await shop.log.topic(TEST_TOPICS.events)).partitions[0]?.startOffset).toBe(1)
      await rebuildLake({ ...shop, topics: TEST_TOPICS, from: 'log' })
      expect(await everyRow(shop)).toEqual(before)
    } finally {
      await shop.close()
    }
  })

  test('that is cancelled leaves tables whole', async () => {
    const shop = await openTestLake()
    try {
      await shop.send([testEvent({ event_id: 'a' })])
      await shop.flush()
      await refine(shop.lake)
      const before = await everyRow(shop)
      const signal = AbortSignal.abort(new Error('stopped by the test'))
      await expect(rebuildLake({ ...shop, topics: TEST_TOPICS, from: 'log', signal })).rejects.toThrow(
        'stopped by the test',
      )
      expect(await everyRow(shop)).toEqual(before)
    } finally {
      await shop.close()
    }
  })
})

test('a log that was put in place of another is refused, not taken for it', async () => {
  const shop = await openTestLake({ partitionCount: 1 })
  const other = await openTestLake({ partitionCount: 1 })
  try {
    await shop.send([testEvent({ event_id: 'a' }), testEvent({ event_id: 'b' })])
    await shop.flush()
    await other.send([testEvent({ event_id: 'c' })])
    await expect(
      rebuildLake({ lake: shop.lake, log: other.log, topics: TEST_TOPICS, from: 'bronze' }),
    ).rejects.toThrow('this is not the log it was written from')
  } finally {
    await other.close()
    await shop.close()
  }
})

/** Broken entries, rejected events and passports, of shoppers who are and who are not removed. */
async function sendOthers({ log }: TestLake, round: number): Promise<void> {
  const entry = (key: string, value: unknown) => ({
    key,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    timestampMs: DAY + round,
  })
  const users = ['u0', 'u1']
  await log.append(
    TEST_TOPICS.events,
    users.map((user_id) => entry(user_id, { user_id, event_id: 7, round })),
  )
  await log.append(TEST_TOPICS.events, [entry('u1', `no json ${round}`)])
  await log.append(
    TEST_TOPICS.rejected,
    users.map((user_id) =>
      entry(user_id, { raw: JSON.stringify({ user_id }), pointer: '/action', reason: 'missing' }),
    ),
  )
  await log.append(
    TEST_TOPICS.recommendations,
    users.map((user_id) =>
      entry(user_id, { recommendation_id: `${user_id}-${round}`, user_id, generated_at: DAY }),
    ),
  )
}

async function everyRow(shop: TestLake): Promise<Record<string, unknown[][]>> {
  const rows: Record<string, unknown[][]> = {}
  for (const table of [...FROM_LOG, ...DERIVED_TABLES])
    rows[table] = await shop.rows(`SELECT * FROM {${table}} ORDER BY ALL`)
  return rows
}
