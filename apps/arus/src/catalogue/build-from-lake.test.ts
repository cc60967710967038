import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDuckDb } from '../lake/duckdb.ts'
import { openLake } from '../lake/lake.ts'
import { bringUpToDate } from './build-from-lake.ts'
import { openCatalogue } from './folder-catalogue.ts'
import { generateCatalogueFiles } from './generate.ts'
import { importCatalogue } from './import.ts'

test('a catalogue that an older Arus made is built anew from the lake, once', async () => {
  const root = mkdtempSync(join(tmpdir(), 'arus-format-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(root, 'duckdb'), memoryBytes: 512 * 1024 * 1024 })
  const lake = openLake({ root: join(root, 'lake'), duckdb })
  const folder = join(root, 'catalogue')
  try {
    const files = await generateCatalogueFiles({ folder: join(root, 'files'), productCount: 50, seed: 1 })
    await importCatalogue({ ...files, lake, folder, now: Date.now })
    const marker = join(folder, 'arus-import.json')
    const { format, ...older } = JSON.parse(readFileSync(marker, 'utf8'))
    expect(format).toBe(4)
    expect(await bringUpToDate({ lake, folder, nowMs: Date.now() })).toBe(false)
    writeFileSync(marker, JSON.stringify(older))
    expect(await bringUpToDate({ lake, folder, nowMs: Date.now() + 1 })).toBe(true)
    expect(await bringUpToDate({ lake, folder, nowMs: Date.now() + 2 })).toBe(false)
    const catalogue = await openCatalogue({ folder })
    expect(catalogue.productCount).toBe(50)
    await catalogue.close()
  } finally {
    await lake.close()
    await duckdb.close()
    rmSync(root, { recursive: true })
  }
})
