import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openCatalogue } from './folder-catalogue.ts'
import { generateCatalogueFiles } from './generate.ts'
import { importCatalogue } from './import.ts'

const ROWS = 20_000
const MEMORY_BYTES = 512 * 1024 * 1024

/** An import in a process of its own, which prints each step as it begins. */
const PROGRAM = `
import { openDuckDb } from ${JSON.stringify(join(import.meta.dirname, '../lake/duckdb.ts'))}
import { openLake } from ${JSON.stringify(join(import.meta.dirname, '../lake/lake.ts'))}
import { importCatalogue } from ${JSON.stringify(join(import.meta.dirname, 'import.ts'))}
const [folder, productsFile, categoriesFile] = process.argv.slice(1)
const duckdb = await openDuckDb({ temporaryFolder: folder + '/tmp', memoryBytes: ${MEMORY_BYTES} })
const lake = openLake({ root: folder + '/lake', duckdb })
const onProgress = ({ step }) => console.log(step)
await importCatalogue({ productsFile, categoriesFile, lake, folder: folder + '/catalogue', now: Date.now, onProgress })
console.log('Finished')
`

let folder = ''
let files: { productsFile: string; categoriesFile: string }
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-import-kill-'))
  files = await generateCatalogueFiles({ folder, productCount: ROWS, seed: 3 })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the import until `afterMs` after a step began, then kills it. False when it finished before. */
async function killAt(step: string, afterMs: number): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', PROGRAM, folder, files.productsFile, files.categoriesFile],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  for await (const line of createInterface(child.stdout)) {
    if (line === 'Finished') break
    if (line.startsWith(step)) setTimeout(() => child.kill('SIGKILL'), afterMs)
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode === 'SIGKILL'
}

async function withLake<T>(work: (lake: Lake) => Promise<T>): Promise<T> {
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: MEMORY_BYTES })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  try {
    return await work(lake)
  } finally {
    await lake.close()
    await duckdb.close()
  }
}

/** Imports the same files, to the end; the steps it took. */
function importAgain(lake: Lake): Promise<string[]> {
  const steps = new Set<string>()
  return importCatalogue({
    ...files,
    lake,
    folder: join(folder, 'catalogue'),
    now: Date.now,
    onProgress: ({ step }) => void steps.add(step.split(' ').slice(0, 2).join(' ')),
  }).then((report) => {
    expect(report).toMatchObject({ rows_read: ROWS, rows_imported: ROWS, rows_dropped: 0, categories: 248 })
    return [...steps].filter((step) => !step.startsWith('Reading'))
  })
}

async function expectWhole(lake: Lake): Promise<void> {
  const tables = await lake.describe()
  const counts = Object.fromEntries(tables.map(({ name, rowCount }) => [name, rowCount]))
  expect(counts).toMatchObject({ 'bronze.products': ROWS, 'silver.products': ROWS, 'bronze.categories': 248 })
  const catalogue = await openCatalogue({ folder: join(folder, 'catalogue') })
  expect(catalogue.productCount).toBe(ROWS)
  const [best] = catalogue.popular(1)
  expect(catalogue.get(best!.product_id)?.product_id).toBe(best!.product_id)
  await catalogue.close()
}

test.each([
  ['Checking', 5],
  ['Writing bronze', 30],
  ['Writing rejected', 0],
  ['Writing silver', 40],
  ['Building the catalogue', 10],
  ['Building the catalogue', 120],
])('an import killed at "%s" and %i ms runs again to the whole, with no row twice', async (step, afterMs) => {
  expect(await killAt(step, afterMs)).toBe(true)
  await withLake(async (lake) => {
    await importAgain(lake)
    await expectWhole(lake)
    expect(existsSync(join(folder, 'catalogue', 'arus-import-progress.json'))).toBe(false)
  })
})

test('what was committed before the kill is not done again', async () => {
  expect(await killAt('Writing rejected', 0)).toBe(true)
  await withLake(async (lake) => {
    const { version } = await lake.relation('bronze.products')
    expect((await importAgain(lake))[0]).toBe('Writing rejected')
    expect((await lake.relation('bronze.products')).version).toBe(version)
  })
  // From here on another catalogue is being replaced by the same files, and silver stands.
  expect(await killAt('Building the catalogue', 0)).toBe(true)
  await withLake(async (lake) => {
    expect(await importAgain(lake)).toEqual(['Building the'])
    await expectWhole(lake)
  })
})

test('other files, or a table that was written to since, are imported from the start', async () => {
  expect(await killAt('Building the catalogue', 0)).toBe(true)
  await withLake(async (lake) => {
    await lake.write('silver.products', `FROM ${(await lake.relation('silver.products')).sql} LIMIT 5`, {
      mode: 'overwrite',
    })
    expect((await importAgain(lake))[0]).toContain('Checking')
    await expectWhole(lake)
  })
  expect(await killAt('Building the catalogue', 0)).toBe(true)
  files = await generateCatalogueFiles({ folder, productCount: ROWS, seed: 4 })
  await withLake(async (lake) => {
    expect((await importAgain(lake))[0]).toContain('Checking')
    await expectWhole(lake)
  })
})
