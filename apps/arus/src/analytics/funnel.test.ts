import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Analytics, createAnalytics, type FunnelRequest } from './analytics.ts'
import type { FunnelOptions } from './funnel.ts'
import { HOUR_MS, MINUTE_MS } from './period.ts'
import { within } from './plain-figures.ts'
import { plainFunnel } from './plain-funnel.ts'
import {
  eventsArbitrary,
  openSilver,
  periodArbitrary,
  rounded,
  type Silver,
  START,
  silverEvent,
  WHOLE,
} from './test-silver.ts'

let silver: Silver
let analytics: Analytics
beforeAll(async () => {
  silver = await openSilver()
  analytics = createAnalytics({ query: silver.engine, now: () => WHOLE.toMs - MINUTE_MS })
})
afterAll(() => silver.close())

const optionsArbitrary: fc.Arbitrary<FunnelOptions> = fc.record(
  {
    steps: fc.uniqueArray(
      fc.constantFrom('view', 'click', 'add_to_cart', 'purchase', 'search', 'wish', 'never'),
      {
        minLength: 2,
        maxLength: 5,
      },
    ),
    order: fc.constantFrom('strict', 'exact', 'any'),
    windowMs: fc.constantFrom(15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 48 * HOUR_MS),
    splitBy: fc.constantFrom('category', 'device', 'a/b~c', "no'such"),
    groupLimit: fc.integer({ min: 1, max: 3 }),
    where: fc.constantFrom(
      { property: 'device', value: 'phone' },
      { property: 'category', value: "Kids' toys" },
    ),
  },
  { requiredKeys: [] },
)

test('a funnel of any steps, order, window, group and filter is what a walk over the same events gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      eventsArbitrary,
      periodArbitrary,
      fc.array(optionsArbitrary, { minLength: 8, maxLength: 8 }),
      async (all, period, questions) => {
        await silver.store(all)
        for (const options of questions) {
          const { steps, first_to_last, groups, other } = await analytics.funnel({ ...period, ...options })
          const figures = { steps, first_to_last, groups, other }
          expect(rounded(figures), JSON.stringify(options)).toEqual(
            rounded(plainFunnel(within(all, period), options)),
          )
        }
      },
    ),
    { numRuns: 12 },
  )
})

/** The events of one shopper as `action@minute`. */
async function storeWalk(walk: string): Promise<void> {
  await silver.store(
    walk.split(' ').map((text, i) => {
      const [action = '', minute = '0'] = text.split('@')
      return silverEvent({ action, ts: START + Number(minute) * MINUTE_MS }, i)
    }),
  )
}

async function shoppersAfter(walk: string, request: FunnelRequest): Promise<number[]> {
  await storeWalk(walk)
  const { steps } = await analytics.funnel({ ...WHOLE, ...request })
  return steps.map(({ shoppers }) => shoppers)
}

const STEPS = ['view', 'add_to_cart', 'purchase']

describe('definitions', () => {
  test('a window is counted from the first step, and a later attempt may be the one that arrives', async () => {
    const walk = 'view@0 add_to_cart@50 purchase@70'
    expect(await shoppersAfter(walk, { steps: STEPS, windowMs: HOUR_MS })).toEqual([1, 1, 0])
    expect(await shoppersAfter(`${walk} view@20`, { steps: STEPS, windowMs: HOUR_MS })).toEqual([1, 1, 1])
    expect(await shoppersAfter(walk, { steps: STEPS, windowMs: 70 * MINUTE_MS })).toEqual([1, 1, 1])
  })

  test('exact: another of the steps between ends the attempt, repeats and other actions do not', async () => {
    const exact: FunnelRequest = { steps: STEPS, order: 'exact' }
    expect(await shoppersAfter('view@0 search@1 view@2 add_to_cart@3 purchase@4', exact)).toEqual([1, 1, 1])
    expect(await shoppersAfter('view@0 add_to_cart@1 view@2 purchase@3', exact)).toEqual([1, 1, 0])
    expect(
      await shoppersAfter('view@0 add_to_cart@1 view@2 purchase@3', { ...exact, order: 'strict' }),
    ).toEqual([1, 1, 1])
  })

  test('any order: the first steps are done when the last of them is', async () => {
    const any: FunnelRequest = { steps: STEPS, order: 'any' }
    expect(await shoppersAfter('purchase@0 add_to_cart@10 view@20', any)).toEqual([1, 1, 1])
    const { first_to_last, steps } = await analytics.funnel({ ...WHOLE, ...any })
    expect(first_to_last).toEqual({ median_ms: 0, mean_ms: 0, p90_ms: 0 })
    expect(steps.map(({ of_first }) => of_first)).toEqual([1, 1, 1])
    expect(
      await shoppersAfter('purchase@0 add_to_cart@10 view@20', { ...any, windowMs: 15 * MINUTE_MS }),
    ).toEqual([1, 1, 0])
  })

  test('a step asked for by name is taken at its word, though nobody did it', async () => {
    expect(await shoppersAfter('view@0 purchase@1', {})).toEqual([1, 0, 0, 1])
    expect(await shoppersAfter('view@0 purchase@1', { steps: ['view', 'click', 'purchase'] })).toEqual([
      1, 0, 0,
    ])
  })

  test('a shopper is in one group, that of the attempt’s first event', async () => {
    await silver.store(
      [
        { ts: START, properties: { device: 'phone' } },
        { ts: START + HOUR_MS, properties: { device: 'laptop' } },
        { ts: START + HOUR_MS + 1, action: 'purchase', properties: { device: 'tablet' } },
      ].map(silverEvent),
    )
    const { groups } = await analytics.funnel({
      ...WHOLE,
      steps: ['view', 'purchase'],
      windowMs: MINUTE_MS,
      splitBy: 'device',
    })
    expect(groups.map(({ value, steps }) => [value, steps.map(({ shoppers }) => shoppers)])).toEqual([
      ['laptop', [1, 1]],
    ])
  })
})
