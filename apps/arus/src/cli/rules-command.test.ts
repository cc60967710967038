import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openSqliteDatabase } from '../database/sqlite-database.ts'
import { openShop } from '../http/test-api.ts'
import { RuleStore } from '../rules/rule-store.ts'
import type { CliContext } from './context.ts'
import { rulesCommand } from './rules-command.ts'

let folder: string
let database: ArusDatabase
let shop: Awaited<ReturnType<typeof openShop>>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-rules-command-'))
  database = await openSqliteDatabase({ file: join(folder, 'arus.sqlite') })
  shop = await openShop()
  await shop.app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  await shop.app.close()
  await database.destroy()
  rmSync(folder, { recursive: true })
})

async function run(...args: string[]): Promise<string> {
  const lines: string[] = []
  const { port } = shop.app.server.address() as { port: number }
  const context = {
    parts: {
      settings: { host: '127.0.0.1', apiPort: port, apiKey: null },
      rules: async () => new RuleStore({ database }),
    },
    signal: new AbortController().signal,
    out: (text: string) => void lines.push(text),
    note: () => {},
  } as unknown as CliContext
  const command = rulesCommand(context)
  for (const one of [command, ...command.commands]) one.exitOverride().configureOutput({ writeErr: () => {} })
  await command.parseAsync(args, { from: 'user' })
  return lines.join('\n')
}

function fileOf(value: unknown): string {
  const file = join(folder, 'rules.json')
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}

test('rules of a file are kept, listed, switched and removed', async () => {
  expect(await run('list')).toContain('There are no rules')
  const rules = [
    { kind: 'boost', name: 'Toys', categories: ['Toys'], max_price: 9, factor: 2, scenarios: ['home'] },
    { kind: 'exclude', name: 'Sold out', products: ['a', 'b', 'c', 'd', 'e'] },
    { kind: 'pin', name: 'New in', product_id: 'p1', rank: 2, starts_at: '2999-01-01' },
    { kind: 'cap', name: 'Mixed', per_category: 2, ends_at: '2001-01-01' },
    { kind: 'diversify', name: 'Varied', lambda: 0.7 },
    { kind: 'explore', name: 'Curious', probability: 0.05, enabled: false },
  ]
  const ids = (await run('add', fileOf(rules))).split('\n')
  expect(ids).toHaveLength(6)
  const list = await run('list')
  expect(list).toMatch(/boost +Toys +× 2: category Toys, up to 9 +home +always +in force\n/)
  expect(list).toMatch(/Sold out +a b c and 2 more +all /)
  expect(list).toMatch(/p1 at 2 +all +2999-01-01T00:00 – +to come\n/)
  expect(list).toMatch(/2 of each category +all +– 2001-01-01T00:00 +over\n/)
  expect(list).toMatch(/λ 0.7, best 50/)
  expect(list).toMatch(/0.05 of the places, from the next 20 +all +always +off$/)
  expect(await run('enable', ids[5] as string)).toMatch(/switched on/)
  expect(await run('disable', ids[0] as string)).toMatch(/switched off/)
  const states = (JSON.parse(await run('list', '--json')) as { enabled: boolean }[]).map(
    ({ enabled }) => enabled,
  )
  expect(states).toEqual([false, true, true, true, true, true])
  expect(await run('remove', ids[0] as string)).toContain('(boost, "Toys") is removed')
  await expect(run('remove', ids[0] as string)).rejects.toMatchObject({ code: 'RULE_UNKNOWN' })
})

test('a file with one wrong rule is refused whole, and says which', async () => {
  const rules = [
    { kind: 'cap', name: 'x', per_category: 2 },
    { kind: 'cap', name: 'x', per_category: 0 },
  ]
  await expect(run('add', fileOf(rules))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(/^Rule 2 of .*per_category/),
  })
  expect(await run('list')).toContain('There are no rules')
  await expect(run('add', fileOf('{'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
})

test('a preview tells the ranks before and after, and which rule did it', async () => {
  shop.live.act('ann', 'p0')
  const rules = [
    { kind: 'pin', name: 'New in', product_id: 'p25', rank: 1 },
    { kind: 'pin', name: 'No such', product_id: 'nope', rank: 2 },
  ]
  const text = await run('preview', '--user', 'ann', '--limit', '2', fileOf(rules))
  expect(text).toContain('Scenario for_you')
  expect(text).toMatch(/\n1 +new +p25 +Title of p25 +pin "New in"\n2 +1 +p10 /)
  expect(text).toMatch(/\ngone +2 +p11 /)
  expect(text).toContain('Without effect on this answer: pin "No such"')
  const json = JSON.parse(await run('preview', '--cart', 'p0,p1', '--scenario', 'email', '--json'))
  expect(json).toMatchObject({ scenario: 'email', changes: [] })
  await expect(run('preview', '--similar', 'nope')).rejects.toMatchObject({ code: 'PRODUCT_UNKNOWN' })
  await expect(run('preview', '--at', 'soon')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})
