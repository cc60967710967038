import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDb, openDuckDb } from '../../lake/duckdb.ts'
import { type Lake, openLake } from '../../lake/lake.ts'
import type { LakeSql, SqlAnswer, SqlQuestion } from '../lake-sql.ts'
import { openSandboxedSql } from './sandboxed-sql.ts'

const MEBIBYTE = 1024 * 1024
/** Never done, in little memory: one that spills may meet the disk's limit before its deadline. */
export const RUNAWAY = 'SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c'

/** A lake of three versions of `bronze.categories`, with 5, 10 and 15 rows, and SQL over it in two processes. */
export interface TestSql {
  readonly folder: string
  readonly duckdb: DuckDb
  readonly lake: Lake
  /** SQL of its own over the same lake; whoever opens it closes it. */
  open(processCount: number, queueLimit?: number, waitMs?: number): LakeSql
  bytesOf(
    text: string,
    options?: Partial<SqlQuestion>,
    engine?: LakeSql,
  ): Promise<SqlAnswer & { bytes: Buffer }>
  /** The rows as JSON has them. */
  rowsOf(text: string, options?: Partial<SqlQuestion>, engine?: LakeSql): Promise<unknown[][]>
  readonly sql: LakeSql
  close(): Promise<void>
}

/** Opens all of it in a temporary folder, which `close` removes; its processes are up. */
export async function openTestSql(): Promise<TestSql> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-sandbox-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * MEBIBYTE })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  for (let write = 0; write < 3; write++) await writeCategories(lake, write * 5)
  const open = (processCount: number, queueLimit = 4, waitMs = 20_000) =>
    openSandboxedSql({
      lake,
      lakeRoot: join(folder, 'lake'),
      temporaryFolder: join(folder, 'sql'),
      processCount,
      memoryBytes: 256 * MEBIBYTE,
      diskBytes: 256 * MEBIBYTE,
      threadCount: 1,
      resultBytes: 4 * MEBIBYTE,
      queueLimit,
      waitMs,
    })
  const sql = open(2)
  await sql.isHealthy()
  const bytesOf: TestSql['bytesOf'] = async (text, options = {}, engine = sql) => {
    const answer = await engine.ask({
      sql: text,
      format: 'json',
      rowLimit: 100,
      timeoutMs: 20_000,
      ...options,
    })
    const pieces: Uint8Array[] = []
    for await (const bytes of answer.body) pieces.push(bytes)
    return { ...answer, bytes: Buffer.concat(pieces) }
  }
  return {
    folder,
    duckdb,
    lake,
    sql,
    open,
    bytesOf,
    rowsOf: async (...asked) => JSON.parse((await bytesOf(...asked)).bytes.toString()),
    async close() {
      await sql.close()
      await lake.close()
      await duckdb.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Five categories, two of each name but the last. */
function writeCategories(lake: Lake, from: number) {
  return lake.write(
    'bronze.categories',
    `SELECT (${from} + i)::VARCHAR AS id, 'name ' || i % 3 AS category_name FROM range(5) t(i)`,
    { mode: 'append' },
  )
}

/** SQL of a row of `bronze.rejected_products`, told by its line. */
export function rejected(i: number): string {
  return `SELECT ${i} AS line_number, 'r' AS reason, 'd' AS detail, 'x' AS raw, 'a' AS asin, now() AS rejected_at`
}
