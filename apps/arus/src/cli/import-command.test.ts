import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSettings } from '../config/settings.ts'
import { openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import type { CliContext } from './context.ts'
import { importCommand } from './import-command.ts'

const PRODUCTS = [
  'asin,title,stars,price,category_id,isBestSeller',
  'B1,Mug,4.5,9.99,1,False',
  'B2,,4,1,1,True',
  'B3,"Broken,4,1,1,True',
  'B4,Fine,4,abc,1,True',
  'B1,Again,4,2,1,True',
  'B5,Odd category,4,2,999,True',
  'B6,short',
  'B7,Ok,5,3,1,',
]

let folder = ''
let lake: Lake
let printed: string[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-import-command-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  lake = await openLake({ root: join(folder, 'lake'), duckdb })
  printed = []
})
afterEach(async () => {
  await lake.close()
  await lake.duckdb.close()
  rmSync(folder, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<string> {
  const settings = readSettings({ ARUS_DATA_DIR: folder }, folder)
  const context = {
    parts: { settings, lake: async () => lake } as unknown as CliContext['parts'],
    signal: new AbortController().signal,
    onProgress: () => {},
    out: (text: string) => void printed.push(text),
    note: () => {},
  }
  await importCommand(context).exitOverride().parseAsync(args, { from: 'user' })
  return printed.join('\n')
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('prints what was imported, what was not and why, and succeeds', async () => {
  const products = write('products.csv', `${PRODUCTS.join('\n')}\n`)
  const text = await run(products, write('categories.csv', 'id,category_name\n1,Mugs\n'))
  expect(text).toContain('3 of 8 rows imported')
  expect(text).toContain('5 rows dropped')
  for (const line of [
    /missing_title +1 +dropped/,
    /broken_quote +1 +dropped/,
    /not_a_number +1 +dropped/,
    /duplicate_asin +1 +dropped/,
    /wrong_column_count +1 +dropped/,
    /unknown_category +1 +kept/,
    / +4 {2}broken_quote .*B3,"Broken/,
    / +5 {2}not_a_number +price is not a number: abc/,
  ]) {
    expect(text).toMatch(line)
  }
})

test('--json prints the report itself', async () => {
  const text = await run(write('products.csv', `${PRODUCTS.join('\n')}\n`), '--json')
  expect(JSON.parse(text)).toMatchObject({ rows_read: 8, rows_imported: 3, rejected: { duplicate_asin: 1 } })
})

test('a file that is no catalogue fails with a code that gives a non-zero exit', async () => {
  await expect(run(write('page.csv', '<html></html>'))).rejects.toMatchObject({
    code: 'CSV_INVALID',
    exitCode: 2,
  })
  expect(printed).toEqual([])
})
