import fc from 'fast-check'
import { expect, test } from 'vitest'
import { event, HOUR, NOON, TestLive } from './test-live.ts'

const MINUTE = 60_000
const YEAR = 365 * 24 * HOUR

const shoppers = ['ani', 'budi', 'cici'] as const
const jump = fc.oneof(
  fc.integer({ min: 48 * HOUR, max: 10 * YEAR }),
  fc.integer({ min: 48 * HOUR, max: 10 * YEAR }).map((ms) => -ms),
  fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
)
/** The clock is set wrong, so many events come, and it is set right again, or only with the next step. */
const step = fc.record({
  jumpMs: fc.option(jump, { freq: 2 }),
  events: fc.integer({ min: 0, max: 8 }),
  isRestarted: fc.boolean(),
})

test('a clock set back and forth loses and doubles no event, forgets nobody, and leaves the present as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const shop = await TestLive.open()
      try {
        let trueMs = NOON
        let sent = 0
        const perShopper = new Map<string, number>()
        const send = async (count: number) => {
          const now = { ts: shop.nowMs, received_at: shop.nowMs }
          const events = Array.from({ length: count }, () => {
            const user_id = shoppers[sent++ % 3]!
            perShopper.set(user_id, (perShopper.get(user_id) ?? 0) + 1)
            return event({ ...now, user_id })
          })
          // Each batch comes twice, as a sender does that heard no answer.
          await shop.send(...events)
          await shop.send(...events)
        }
        await send(3)
        for (const { jumpMs, events, isRestarted } of steps) {
          trueMs += MINUTE
          shop.steadyMs += MINUTE / 2
          shop.nowMs = trueMs + (jumpMs ?? 0)
          await send(events)
          await shop.lmdb.expire()
          if (isRestarted) await shop.restart()
        }
        // Later than the small jumps reach: what they placed ahead is over too.
        trueMs += 5 * HOUR
        shop.steadyMs += 1_000
        shop.nowMs = trueMs
        await send(3)
        const figures = shop.live.analytics()
        expect(figures).toMatchObject({
          events_total: sent,
          total_users: perShopper.size,
          active_users: 3,
          active_sessions: 3,
        })
        expect(figures.events_per_minute.at(-1)?.count).toBe(3)
        expect(figures.events_today).toBeGreaterThanOrEqual(3)
        expect(figures.newest_event_at).toBeLessThanOrEqual(trueMs + 24 * HOUR)
        for (const [shopper, events] of perShopper) {
          expect(await shop.live.shopper(shopper)).toMatchObject({ events })
          expect(await shop.live.history(shopper)).toHaveLength(Math.min(100, events))
        }
        expect(await shop.live.productCounters('P1')).toMatchObject({ views: sent })
        expect(shop.live.trending(1)).toMatchObject([{ product_id: 'P1' }])
      } finally {
        await shop.close()
      }
    }),
    { numRuns: Number(process.env.ARUS_FAULT_RUNS ?? 20) },
  )
}, 600_000)
