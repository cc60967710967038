import { afterEach, expect, test } from 'vitest'
import type { PassportBody } from '../api-schema/index.ts'
import { openShop } from '../http/test-api.ts'
import type { CliContext } from './context.ts'
import { explained, whyCommand } from './why-command.ts'

let close: () => Promise<unknown> = async () => {}
afterEach(() => close())

/** Gives an answer, then runs `arus why` on it (or on another id). */
async function run(options: readonly string[], id?: string): Promise<string> {
  const shop = await openShop()
  for (const product of ['p0', 'p1']) shop.live.act('ann', product)
  await shop.app.listen({ host: '127.0.0.1', port: 0 })
  close = () => shop.app.close()
  const { port } = shop.app.server.address() as { port: number }
  const { recommendation_id } = (
    await shop.app.inject('/recommendations/user/ann?limit=2&max_price=25')
  ).json()
  const lines: string[] = []
  const context = {
    parts: { settings: { host: '127.0.0.1', apiPort: port } },
    signal: new AbortController().signal,
    onProgress: () => {},
    out: (text: string) => void lines.push(text),
    note: () => {},
  } as unknown as CliContext
  await whyCommand(context)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync([id ?? recommendation_id, ...options], { from: 'user' })
  return lines.join('\n')
}

test('prints events, model, candidates, rules and result', async () => {
  const text = await run([])
  expect(text).toContain('for shopper ann, scenario for_you\nAsked for 2 products, up to 25')
  expect(text).toMatch(/Rested on 2 events of the log, newest first\n.*\n.*\n? +0 +1 +view +p1\n/)
  expect(text).toContain('Answered by model walk version 3')
  expect(text).toMatch(/newest +1 +3 +p20 \(/)
  expect(text).toContain('Filters at work: already_seen, price')
  expect(text).toMatch(/ 1 +p20 +\d/)
  expect(text).not.toContain('Computed again')
})

test('computes again when asked, and gives the API’s answer as JSON', async () => {
  expect(await run(['--recompute'])).toContain('Computed again: the same answer.')
  await close()
  expect(JSON.parse(await run(['--recompute', '--json'])).recomputed.kind).toBe('same')
})

test('an answer that was never given is said to be unknown', async () => {
  await expect(run([], 'nobody')).rejects.toMatchObject({ code: 'RECOMMENDATION_UNKNOWN' })
})

test('what came of an answer, and why it cannot be computed again', () => {
  const result = [{ product_id: 'p1', rank: 1, score: 2, reason: 'popular' }]
  const passport: PassportBody = {
    recommendation_id: 'r',
    user_id: 'ann',
    session_id: null,
    scenario: 'home',
    generated_at: 0,
    fallback: 'popular',
    took_ms: 1.5,
    experiments: [
      { id: 'exp_1', variant: 'new', fell_back: 'Model version 7 is gone.' },
      { id: 'exp_2', variant: 'control', fell_back: null },
    ],
    shadows: [
      {
        id: 'exp_3',
        variant: 'next',
        model_version: 9,
        products: ['p2', 'p1'],
        fallback: null,
        took_ms: 0.25,
        overlap: 0.5,
        rank_agreement: 0.4,
      },
    ],
    events: [],
    earlier_events: [],
    session_event_count: 0,
    request: null,
    parts: { catalogue: 'v1', model: 7, live: true },
    model: null,
    retrievers: [],
    filters: [],
    result,
    training: null,
    outcome: {
      window_ms: 1,
      products: [
        {
          product_id: 'p1',
          seen_at: null,
          clicked_at: 1_000,
          purchases: 2,
          revenue: 9.5,
          view_purchases: 0,
          view_revenue: 0,
        },
      ],
      newest_event_at: 5,
    },
    recomputed: { kind: 'impossible', reasons: ['Model version 7 is gone.'], result: [] },
  }
  const text = explained(passport)
  expect(text).toContain('No model answered (fallback: popular)\nThe registry no longer knows version 7')
  expect(text).toMatch(/1 +p1 +2 +popular +– +1970-01-01 00:00:01 +2 +9\.50/)
  expect(text).toContain(
    'Experiment exp_1: variant new, answered by production: Model version 7 is gone.\nExperiment exp_2: variant control',
  )
  expect(text).toMatch(/exp_3 +next +9 +50 % +0\.40 +0\.25 +p2, p1/)
  expect(text).toContain('It cannot be computed again:\n  Model version 7 is gone.')
  const other = {
    ...passport,
    outcome: null,
    recomputed: { kind: 'different' as const, reasons: [], result },
  }
  expect(explained(other)).toMatch(/cannot be asked now[\s\S]*another answer\./)
})
