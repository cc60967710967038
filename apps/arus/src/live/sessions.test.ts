import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placeInSessions, type Session } from './sessions.ts'
import { event, HOUR, NOON, TestLive } from './test-live.ts'

const MINUTE = 60_000
const rules = { gapMs: 30 * MINUTE, latenessMs: 24 * HOUR }

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

/** Sessions of a shopper after events at these times. */
function sessionsAfter(times: readonly number[]): readonly Session[] {
  return times.reduce<readonly Session[]>(
    (sessions, atMs) =>
      placeInSessions(
        sessions,
        { session_id: null, action: 'view', received_at: NOON },
        { shopper: 'ani', atMs, rules },
      ).sessions,
    [],
  )
}

describe('sessions by silence', () => {
  test('are the stretches of the sorted times, in whatever order the events come', () => {
    const times = fc.array(
      fc.integer({ min: 0, max: 12 * 60 }).map((minute) => NOON - minute * MINUTE),
      { minLength: 1, maxLength: 18 },
    )
    fc.assert(
      fc.property(times, (arrival) => {
        const sorted = [...arrival].sort((a, b) => a - b)
        const stretches: number[][] = []
        for (const [i, ts] of sorted.entries()) {
          if (i === 0 || ts - sorted[i - 1]! > rules.gapMs) stretches.push([])
          stretches.at(-1)?.push(ts)
        }
        const found = sessionsAfter(arrival).map(([, startMs, endMs, events]) => [startMs, endMs, events])
        expect(found.reverse()).toEqual(stretches.map((one) => [one[0], one.at(-1), one.length]))
      }),
    )
  })

  test('an event later than is allowed joins none, and is counted as late', async () => {
    await shop.send(event(), event({ ts: NOON - 25 * HOUR }), event({ ts: NOON - 23 * HOUR }))
    const known = await shop.live.shopper('ani')
    expect(known).toMatchObject({ events: 3, last_seen: NOON, first_seen: NOON - 25 * HOUR })
    expect(known?.sessions.map(({ started_at }) => started_at)).toEqual([NOON, NOON - 23 * HOUR])
    expect(await shop.live.history('ani')).toHaveLength(3)
    shop.nowMs = NOON - 24 * HOUR
    expect(shop.live.analytics().late_events_today).toBe(1)
  })

  test('another gap may be set', async () => {
    await shop.restart({ rules: { sessions: { ...rules, gapMs: 5 * MINUTE }, idleMs: 90 * 24 * HOUR } })
    await shop.send(event({ ts: NOON - 6 * MINUTE }), event())
    expect((await shop.live.shopper('ani'))?.sessions).toMatchObject([{ is_open: true }, { is_open: false }])
    expect(shop.live.analytics()).toMatchObject({ active_sessions: 1, closed_sessions: { sessions: 1 } })
  })
})

describe('closed sessions', () => {
  test('are those of today that are over: length, events, bounces, purchases', async () => {
    await shop.send(
      event({ ts: NOON - 3 * HOUR }),
      event({ ts: NOON - 3 * HOUR + 10 * MINUTE, action: 'purchase', price: 5 }),
      event({ user_id: 'budi', ts: NOON - 2 * HOUR }),
      event({ user_id: 'cici', ts: NOON - 13 * HOUR }),
      event({ user_id: 'budi' }),
    )
    expect(shop.live.analytics()).toMatchObject({
      active_sessions: 1,
      closed_sessions: {
        sessions: 2,
        events_per_session: 1.5,
        minutes_mean: 5,
        bounce_rate: 0.5,
        purchase_rate: 0.5,
      },
    })
    shop.nowMs += 31 * MINUTE
    expect(shop.live.analytics()).toMatchObject({ active_sessions: 0, closed_sessions: { sessions: 3 } })
  })

  test('two that a late event joins are one, also for the figures; a forgotten shopper leaves them', async () => {
    await shop.send(event({ ts: NOON - 4 * HOUR }), event({ ts: NOON - 3 * HOUR }))
    expect(shop.live.analytics().closed_sessions).toMatchObject({ sessions: 2, bounce_rate: 1 })
    await shop.send(event({ ts: NOON - 3.5 * HOUR }))
    expect(shop.live.analytics().closed_sessions).toMatchObject({
      sessions: 1,
      bounce_rate: 0,
      minutes_mean: 60,
    })
    await shop.live.forget('ani')
    expect(shop.live.analytics().closed_sessions).toMatchObject({ sessions: 0, minutes_mean: null })
  })
})
