import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { lockWhenFree } from '../operations/server-lock.ts'
import { BUILD_LOCK, followLake } from './build-from-lake.ts'
import { currentVersion } from './catalogue-folder.ts'
import { startCatalogueFollower } from './catalogue-follower.ts'
import { openCatalogue } from './folder-catalogue.ts'
import { generateCatalogueFiles } from './generate.ts'
import { importCatalogue } from './import.ts'
import { removeMarker } from './import-marker.ts'

/** Two servers of a shop: one lake, a catalogue's folder for each. */
let root = ''
let mine: Lake
let theirs: Lake
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'arus-follow-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(root, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  mine = openLake({ root: join(root, 'lake'), duckdb })
  theirs = openLake({ root: join(root, 'lake'), duckdb })
  await importAs('mine', mine, 50)
})
afterEach(async () => {
  await mine.close()
  await theirs.close()
  await mine.duckdb.close()
  rmSync(root, { recursive: true, force: true })
})

const folderOf = (server: 'mine' | 'theirs') => join(root, server)

async function importAs(server: 'mine' | 'theirs', lake: Lake, productCount: number): Promise<void> {
  const files = await generateCatalogueFiles({
    folder: join(root, `files-${productCount}`),
    productCount,
    seed: 1,
  })
  await importCatalogue({ ...files, lake, folder: folderOf(server), now: Date.now })
}

const look = () => followLake({ lake: mine, folder: folderOf('mine'), nowMs: Date.now() })

async function servedCount(): Promise<number> {
  const catalogue = await openCatalogue({ folder: folderOf('mine') })
  await catalogue.close()
  return catalogue.productCount
}

test('what another server imported is built once; what this one imported is not', async () => {
  expect(await look()).toBe('unchanged')
  await importAs('theirs', theirs, 60)
  expect(await look()).toBe('built')
  expect(await servedCount()).toBe(60)
  expect(await look()).toBe('unchanged')
  await importAs('mine', mine, 70)
  expect(await look()).toBe('unchanged')
  expect(await servedCount()).toBe(70)
})

test('commits that change no row build nothing: files written anew, the same file imported elsewhere', async () => {
  const before = currentVersion(folderOf('mine'))
  const { sql } = await theirs.relation('silver.products')
  await theirs.write('silver.products', `SELECT * FROM ${sql} ORDER BY title`, {
    mode: 'overwrite',
    operation: 'OPTIMIZE',
  })
  expect(await look()).toBe('unchanged')
  await importAs('theirs', theirs, 50)
  expect(await look()).toBe('unchanged')
  expect(currentVersion(folderOf('mine'))).toBe(before)
  await theirs.write('silver.products', `SELECT * REPLACE (price + 1 AS price) FROM ${sql}`, {
    mode: 'overwrite',
  })
  expect(await look()).toBe('built')
})

test('a catalogue whose lake an older Arus did not note is built once', async () => {
  const file = join(folderOf('mine'), 'arus-import.json')
  const { lake, ...older } = JSON.parse(readFileSync(file, 'utf8'))
  expect(lake).toMatchObject({ 'silver.products': { version: 1 } })
  writeFileSync(file, JSON.stringify(older))
  expect(await look()).toBe('built')
  expect(await look()).toBe('unchanged')
})

test('while an import into the same folder is at work nothing is built, and an import waits for what is', async () => {
  await importAs('theirs', theirs, 60)
  const before = currentVersion(folderOf('mine'))
  const release = await lockWhenFree(join(folderOf('mine'), BUILD_LOCK))
  expect(await look()).toBe('busy')
  expect(currentVersion(folderOf('mine'))).toBe(before)
  const order: string[] = []
  const importing = importAs('mine', mine, 70).then(() => order.push('mine'))
  await importAs('theirs', theirs, 60)
  order.push('theirs')
  release()
  await importing
  expect(order).toEqual(['theirs', 'mine'])
  expect(await look()).toBe('unchanged')
  expect(await servedCount()).toBe(70)
})

test('a build that was cut short is begun again', async () => {
  await importAs('theirs', theirs, 60)
  const before = currentVersion(folderOf('mine'))
  const cut = new AbortController()
  const looking = followLake({
    lake: mine,
    folder: folderOf('mine'),
    nowMs: Date.now(),
    onProgress: () => cut.abort(),
    signal: cut.signal,
  })
  await expect(looking).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(currentVersion(folderOf('mine'))).toBe(before)
  expect(await look()).toBe('built')
  expect(await servedCount()).toBe(60)
})

test('an import that was killed after its silver is finished by the server', async () => {
  await importAs('theirs', theirs, 60)
  await removeMarker(folderOf('mine'))
  expect(await look()).toBe('built')
  expect(await servedCount()).toBe(60)
})

test('a table that was removed and made again is followed, an empty one is not', async () => {
  rmSync(join(root, 'lake'), { recursive: true })
  const anew = openLake({ root: join(root, 'lake'), duckdb: mine.duckdb })
  await anew.table('silver.products')
  expect(await look()).toBe('unchanged')
  expect(await servedCount()).toBe(50)
  // Its newest version has the number of the one that is known.
  await importAs('theirs', anew, 60)
  expect(await look()).toBe('built')
  expect(await servedCount()).toBe(60)
  await anew.close()
})

test('the follower looks again and again, says once that the lake is away, and stops', async () => {
  const faults: unknown[] = []
  const builds: (string | null)[] = []
  const follower = startCatalogueFollower({
    lake: mine,
    folder: folderOf('mine'),
    intervalMs: 5,
    onBuilt: () => void builds.push(currentVersion(folderOf('mine'))),
    onFault: (error) => void faults.push(error),
  })
  await importAs('theirs', theirs, 60)
  await vi.waitFor(() => expect(builds).toHaveLength(1), { timeout: 20_000 })

  // A link to itself cannot be listed.
  const log = join(root, 'lake/silver/products/_delta_log')
  renameSync(log, `${log}.away`)
  symlinkSync(log, log)
  await vi.waitFor(() => expect(faults).toHaveLength(1), { timeout: 20_000 })
  rmSync(log)
  renameSync(`${log}.away`, log)
  await importAs('theirs', theirs, 70)
  await vi.waitFor(() => expect(builds).toHaveLength(2), { timeout: 20_000 })
  expect(await servedCount()).toBe(70)
  expect(faults).toHaveLength(1)
  await follower.stop()
  await importAs('theirs', theirs, 80)
  expect(builds).toHaveLength(2)
})
