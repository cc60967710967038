import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openLake } from './lake.ts'
import { DERIVED_TABLES, refine } from './refine.ts'
import { rowsOf, type TestLake } from './test-lake.ts'

/** For tests: every derived table is as another lake computes it anew from a copy of the same bronze and catalogue. */
export async function expectAsAnew({
  folder,
  lakeRoot,
  lake,
  duckdb,
}: Pick<TestLake, 'folder' | 'lakeRoot' | 'lake' | 'duckdb'>): Promise<void> {
  const root = join(folder, 'anew')
  await lake.table('silver.products')
  for (const part of ['bronze', 'silver/products'])
    cpSync(join(lakeRoot, part), join(root, part), { recursive: true })
  const other = openLake({ root, duckdb })
  try {
    await refine(other)
    for (const table of DERIVED_TABLES) {
      const sql = `SELECT * FROM {${table}} ORDER BY ALL`
      expect(await rowsOf(lake, sql), table).toEqual(await rowsOf(other, sql))
    }
  } finally {
    await other.close()
  }
}
