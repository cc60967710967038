import { afterEach, describe, expect, test } from 'vitest'
import { openShop } from '../http/test-api.ts'
import type { CliContext } from './context.ts'
import { described, recommendCommand } from './recommend-command.ts'

let close: () => Promise<unknown> = async () => {}
afterEach(() => close())

async function run(...args: string[]): Promise<string> {
  const shop = await openShop()
  shop.live.act('ann', 'p0')
  await shop.app.listen({ host: '127.0.0.1', port: 0 })
  close = () => shop.app.close()
  const { port } = shop.app.server.address() as { port: number }
  const lines: string[] = []
  const context = {
    parts: { settings: { host: '127.0.0.1', apiPort: port } },
    signal: new AbortController().signal,
    onProgress: () => {},
    out: (text: string) => void lines.push(text),
    note: () => {},
  } as unknown as CliContext
  await recommendCommand(context)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync(args, { from: 'user' })
  return lines.join('\n')
}

describe('arus recommend', () => {
  test('prints a table with the reason of each product and the model behind it', async () => {
    const text = await run('--user', 'ann', '--limit', '2')
    expect(text.split('\n')[0]).toMatch(/^rank +product +title +price +score +why$/)
    expect(text).toMatch(/ 1 +p10 +Title of p10 +11\.00 +\d\.\d{3} +because of Title of p0\n/)
    expect(text).toContain('model walk version 3, trained 2026-01-01')
  })

  test('similar, trending and JSON', async () => {
    expect(await run('--similar', 'p0', '--limit', '1')).toContain('similar to Title of p0')
    await close()
    expect(await run('--trending', '--limit', '1')).toContain('fallback: popular')
    await close()
    expect(JSON.parse(await run('--user', 'ann', '--json'))).toMatchObject({ user_id: 'ann', fallback: null })
  })

  test('says what the server says, and what is missing', async () => {
    await expect(run('--similar', 'nope')).rejects.toMatchObject({
      code: 'PRODUCT_UNKNOWN',
      message: expect.stringContaining('nope'),
    })
    await close()
    await expect(run('--user', 'ann', '--limit', '0')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('limit'),
    })
    await close()
    await expect(run()).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await close()
    await expect(run('--user', 'a', '--trending')).rejects.toMatchObject({
      code: 'commander.conflictingOption',
    })
  })

  test('an empty answer says so', () => {
    expect(
      described({ trending: [], fallback: 'static', generated_at: '2026-01-01T00:00:00.000Z', took_ms: 0.1 }),
    ).toBe('Nothing to recommend; fallback: static.')
  })
})
