import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataFolders } from '../../src/config/settings.ts'
import { lockServer } from '../../src/operations/server-lock.ts'
import { openParts } from '../../src/wiring.ts'
import { type Sides, sidesOf } from './others.ts'
import { filesHolding } from './raw-files.ts'
import {
  ANI,
  ANI_WORDS,
  importProducts,
  newShop,
  RunningShop,
  type Shop,
  settingsIn,
  shopAWhile,
} from './shop.ts'

const connection = await (await DuckDBInstance.create(':memory:')).connect()
/** Not by way of bin/arus.mjs, which has a process of its own: it is the working one that must die. */
const arus = join(import.meta.dirname, '../../src/main.ts')

let shop: Shop
let before: Sides
beforeAll(async () => {
  shop = newShop()
  await importProducts(shop)
  const running = await RunningShop.start(shop)
  await shopAWhile(running)
  before = await sidesOf(running.parts)
  await running.stop()
}, 180_000)
afterAll(() => shop.destroy())

/** An `arus` command on the data in a folder. */
function commanded(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', arus, ...args], {
    cwd: folder,
    env: { ...process.env, ARUS_DATA_DIR: join(folder, 'data'), ARUS_PARTITIONS: '3', ARUS_API_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Kills the command when it says that it begins a step; false when it ended before. */
async function killedAt(folder: string, step: string): Promise<boolean> {
  const child = commanded(folder, ['forget', ANI, '--json'])
  const ended = once(child, 'exit')
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes(step)) child.kill('SIGKILL')
  })
  await ended
  return child.signalCode === 'SIGKILL'
}

async function finished(folder: string): Promise<{ readonly removed: Readonly<Record<string, number>> }> {
  const child = commanded(folder, ['forget', ANI, '--json'])
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  expect(status, err).toBe(0)
  return JSON.parse(out) as { readonly removed: Readonly<Record<string, number>> }
}

async function isErasedIn(folder: string): Promise<void> {
  const settings = settingsIn(folder)
  const parts = openParts(settings)
  const after = await sidesOf(parts)
  expect(after.others).toEqual(before.others)
  expect(Object.values(after.aniRows)).toEqual(Object.values(after.aniRows).map(() => 0))
  await parts.close()
  expect(await filesHolding(dataFolders(settings).root, ANI_WORDS, connection)).toEqual([])
}

test.each([
  'Looking for the shopper: 0',
  'Erasing from the log: shop.events: 0',
  'Erasing from the log: shop.events: 1',
  'Erasing from the log: shop.recommendations: 1',
  'Erasing from the lake: bronze',
  'Erasing from the lake: silver and gold',
  'older versions of silver.events',
  'older versions of gold.quality_results',
])('kill -9 of the command at “%s”: the same command again finishes it', async (step) => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-forget-kill-'))
  cpSync(join(shop.folder, 'data'), join(folder, 'data'), { recursive: true })
  expect(await killedAt(folder, step)).toBe(true)
  const { removed } = await finished(folder)
  expect(removed).toMatchObject(before.aniRows)
  await isErasedIn(folder)
  rmSync(folder, { recursive: true })
})

test('kill -9 of the command: a server that starts afterwards finishes it by itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-forget-kill-'))
  cpSync(join(shop.folder, 'data'), join(folder, 'data'), { recursive: true })
  expect(await killedAt(folder, 'Erasing from the lake: bronze')).toBe(true)
  const running = await RunningShop.start({ settings: settingsIn(folder) })
  const store = await running.parts.erasures()
  await expect.poll(async () => (await store.pending()).length, { timeout: 60_000 }).toBe(0)
  await running.stop()
  await isErasedIn(folder)
  rmSync(folder, { recursive: true })
})

test('kill -9 of a server that is at it: its lake process ends by itself, and the command finishes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-forget-kill-'))
  cpSync(join(shop.folder, 'data'), join(folder, 'data'), { recursive: true })
  const parts = openParts(settingsIn(folder))
  const store = await parts.erasures()
  const server = commanded(folder, ['start', '--no-dashboard', '--shoppers', '0'])
  const id = await store.request(ANI)
  const step = async () => (await store.get(id)).progress?.step ?? ''
  await expect.poll(step, { timeout: 60_000, interval: 5 }).toContain('Erasing from the lake')
  server.kill('SIGKILL')
  await once(server, 'exit')
  await parts.close()
  expect((await finished(folder)).removed).toMatchObject(before.aniRows)
  await isErasedIn(folder)
  rmSync(folder, { recursive: true })
})

test('beside a running server the command waits for the server to do it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-forget-kill-'))
  cpSync(join(shop.folder, 'data'), join(folder, 'data'), { recursive: true })
  const settings = settingsIn(folder)
  const release = lockServer(join(dataFolders(settings).root, 'server.lock'))
  const running = await RunningShop.start({ settings })
  expect((await finished(folder)).removed).toMatchObject(before.aniRows)
  await running.stop()
  release()
  await isErasedIn(folder)
  rmSync(folder, { recursive: true })
})
