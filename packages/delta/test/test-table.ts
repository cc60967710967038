import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { type CreateOptions, column, DeltaTable, LocalStorage } from '../src/index.ts'

/** A folder for tables, removed with what is in it. */
export class TestFolder implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'arus-delta-'))

  options(engine: DuckDbParquetEngine, name = 'table') {
    return { storage: new LocalStorage(join(this.root, name)), engine }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Columns id, name, price, day. */
export const SHOP: CreateOptions['schema'] = {
  type: 'struct',
  fields: [column('id', 'long'), column('name', 'string'), column('price', 'double'), column('day', 'date')],
}

/** Rows of `SHOP` with ids from `first` to before `end`; `id % 3` makes the day. */
export function shopRows(first: number, end: number): string {
  return `SELECT i::BIGINT AS id, 'n' || i AS name, i * 1.5 AS price, (DATE '2024-03-01' + (i % 3)::INTEGER)::DATE AS day FROM range(${first}, ${end}) t(i)`
}

/** A table of `SHOP` with ids 0 to 29 in three commits of ten. */
export async function shopTable(
  folder: TestFolder,
  engine: DuckDbParquetEngine,
  options: Partial<CreateOptions> = {},
): Promise<DeltaTable> {
  const table = await DeltaTable.create(folder.options(engine), { schema: SHOP, ...options })
  for (const first of [0, 10, 20]) await table.append(shopRows(first, first + 10))
  return table
}

/** Ids of a table, ascending. */
export async function idsOf(table: DeltaTable, where = 'true'): Promise<number[]> {
  const rows = await table.rows(`SELECT id FROM {table} WHERE ${where} ORDER BY id`)
  return rows.map((row) => Number(row.id))
}
