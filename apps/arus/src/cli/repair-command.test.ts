import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataFolders, readSettings, type Settings } from '../config/settings.ts'
import type { CliContext } from './context.ts'
import { repairCommand } from './repair-command.ts'

let folder: string
let settings: Settings
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-repair-'))
  settings = readSettings({ ARUS_DATA_DIR: folder }, folder)
  mkdirSync(dataFolders(settings).root, { recursive: true })
  const log = await openLmdbEventLog({ folder: dataFolders(settings).log })
  await log.ensureTopic('shop.events', { partitionCount: 1 })
  for (const text of ['first', 'second', 'third'])
    await log.append('shop.events', [
      { key: 'k', value: Buffer.from(text.padEnd(5_000, '.')), timestampMs: 1 },
    ])
  await log.commit('lake', 'shop.events', new Map([[0, 1]]))
  await log.close()
})
afterEach(() => {
  process.exitCode = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function run(...options: readonly string[]): Promise<string> {
  const lines: string[] = []
  const context = {
    parts: { settings },
    signal: new AbortController().signal,
    out: (text: string) => void lines.push(text),
  } as unknown as CliContext
  await repairCommand(context)
    .exitOverride()
    .parseAsync([...options], { from: 'user' })
  return lines.join('\n')
}

test('a sound log is said to be sound', async () => {
  expect(await run()).toBe('All of the log can be read.')
  expect(process.exitCode).toBeUndefined()
})

test('damage is told with its readers; only --yes changes anything, and keeps the bytes when asked', async () => {
  const file = join(dataFolders(settings).log, 'data.mdb')
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf('second'); at >= 0; at = bytes.indexOf('second', at + 1)) bytes[at]! ^= 1
  writeFileSync(file, bytes)
  for (let look = 0; look < 2; look++) {
    expect(await run()).toMatch(/shop\.events +0 +1 +1 +1 +its checksum is another +lake\n\nA backup/)
    expect(process.exitCode).toBe(1)
  }
  process.exitCode = undefined
  expect(await run('--yes', '--keep-in', join(folder, 'kept'))).toContain('Readers go on')
  expect(process.exitCode).toBeUndefined()
  expect(readdirSync(join(folder, 'kept'))).toEqual(['shop.events-0-1-2.block'])
  expect(await run()).toBe('All of the log can be read.')
  const log = await openLmdbEventLog({ folder: dataFolders(settings).log })
  const { entries } = await log.read('shop.events', 0, 0, 10)
  expect(entries.map(({ offset }) => offset)).toEqual([0, 2])
  await log.close()
})
