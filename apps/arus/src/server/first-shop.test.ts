import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StartOptions } from '../cli/start-command.ts'
import { dataFolders, readSettings, type Settings } from '../config/settings.ts'
import { type OpenParts, openParts } from '../wiring.ts'
import { ensureCatalogue } from './first-shop.ts'

const OPTIONS: StartOptions = {
  products: null,
  categories: null,
  size: 60,
  shoppers: 0,
  seed: 1,
  dashboard: false,
}

let folder: string
let settings: Settings
let parts: OpenParts
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-first-shop-'))
  settings = readSettings({ ARUS_DATA_DIR: folder }, folder)
  parts = openParts(settings)
})
afterEach(async () => {
  await parts.close()
  rmSync(folder, { recursive: true })
})

const ensure = (options: Partial<StartOptions> = {}) =>
  ensureCatalogue(
    { parts, signal: new AbortController().signal, onProgress: () => {}, out: () => {}, note: () => {} },
    { ...OPTIONS, ...options },
  )
const versionOfProducts = async () =>
  (await (await (await parts.lake()).table('silver.products')).snapshot()).version

test('a new folder beside a lake with products serves those, and writes none of its own', async () => {
  expect(await ensure()).toBe('generated')
  expect(await ensure()).toBe('generated')
  const version = await versionOfProducts()
  rmSync(dataFolders(settings).catalogue, { recursive: true })
  expect(await ensure({ size: 90 })).toBe('imported')
  expect((await parts.catalogue()).productCount).toBe(60)
  expect(await ensure({ size: 90 })).toBe('imported')
  expect(await versionOfProducts()).toBe(version)
})

test('a generated shop whose import was cut short is generated on', async () => {
  await ensure()
  const folders = dataFolders(settings)
  rmSync(folders.catalogue, { recursive: true })
  mkdirSync(join(folders.temporary, 'generated-shop'))
  expect(await ensure()).toBe('generated')
})
