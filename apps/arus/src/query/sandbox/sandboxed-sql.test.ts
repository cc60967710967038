import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DuckDb, openDuckDb } from '../../lake/duckdb.ts'
import { type Lake, openLake } from '../../lake/lake.ts'
import type { LakeSql, SqlQuestion } from '../lake-sql.ts'
import { removeOrphans } from './sandbox-child.ts'
import { openSandboxedSql } from './sandboxed-sql.ts'

const MEBIBYTE = 1024 * 1024
/** Never done, in little memory: one that spills may meet the disk's limit before its deadline. */
const RUNAWAY = 'SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c'

let folder = ''
let duckdb: DuckDb
let lake: Lake
let sql: LakeSql
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-sandbox-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * MEBIBYTE })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  for (let write = 0; write < 3; write++) await writeCategories(write * 5)
  sql = openSql(2)
  expect(await sql.isHealthy()).toBe(true)
})
afterAll(async () => {
  await sql.close()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

function openSql(processCount: number, queueLimit = 4, waitMs = 20_000): LakeSql {
  return openSandboxedSql({
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
}

/** Five categories, two of each name. */
function writeCategories(from: number) {
  return lake.write(
    'bronze.categories',
    `SELECT (${from} + i)::VARCHAR AS id, 'name ' || i % 3 AS category_name FROM range(5) t(i)`,
    { mode: 'append' },
  )
}

async function bytesOf(text: string, options: Partial<SqlQuestion> = {}, engine = sql) {
  const answer = await engine.ask({ sql: text, format: 'json', rowLimit: 100, timeoutMs: 20_000, ...options })
  const pieces: Uint8Array[] = []
  for await (const bytes of answer.body) pieces.push(bytes)
  return { ...answer, bytes: Buffer.concat(pieces) }
}

async function rowsOf(text: string, options: Partial<SqlQuestion> = {}, engine = sql): Promise<unknown[][]> {
  return JSON.parse((await bytesOf(text, options, engine)).bytes.toString())
}

describe('answers', () => {
  test('by table name, with parameters, types and the version read', async () => {
    const { columns, tableVersions, bytes, ...summary } = await bytesOf(
      'SELECT id, category_name FROM bronze.categories WHERE id::INTEGER > $1 AND id != $2 ORDER BY id::INTEGER',
      { params: [11, '13'] },
    )
    expect(columns).toEqual([
      { name: 'id', type: 'VARCHAR' },
      { name: 'category_name', type: 'VARCHAR' },
    ])
    expect(JSON.parse(bytes.toString())).toEqual([
      ['12', 'name 2'],
      ['14', 'name 1'],
    ])
    expect(tableVersions).toEqual({ 'bronze.categories': 3 })
    expect(summary).toMatchObject({ rowCount: 2, isTruncated: false, nextCursor: null, warnings: [] })
  })

  test('parameters by name; what is missing or too many is told', async () => {
    expect(await rowsOf('SELECT $b - $a', { params: { a: 1, b: 3 } })).toEqual([[2]])
    await expect(rowsOf('SELECT $1', { params: [1, 2] })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      message: expect.stringContaining('$2 is not in the query'),
    })
    await expect(rowsOf('SELECT $1, $2', { params: [1] })).rejects.toThrow('$2 has no value')
  })

  test('keep every digit of a long number, also where the text is written anew', async () => {
    expect(await rowsOf('SELECT 12345678901234567890123456789, 9007199254740993 ORDER BY 1')).toEqual([
      ['12345678901234567890123456789', '9007199254740993'],
    ])
  })

  test('parameters and constants keep their types, in ordered and in other queries', async () => {
    const types =
      'typeof($1), typeof($2), typeof($3), typeof($4), typeof($5), typeof(1e10), typeof(1.0), typeof(1e-9)'
    const params = [1, 5_000_000_000, 0.1, "it's", null]
    const expected = ['INTEGER', 'BIGINT', 'DOUBLE', 'VARCHAR', '"NULL"', 'DOUBLE', 'DECIMAL(2,1)', 'DOUBLE']
    for (const order of ['', ' ORDER BY 1']) {
      expect(await rowsOf(`SELECT ${types}${order}`, { params }), order).toEqual([expected])
    }
    expect(await rowsOf('SELECT $1 || $2; -- the end', { params: ['a;b', "c'd\n"] })).toEqual([["a;bc'd\n"]])
    expect(await rowsOf('SELECT $1 AS x, 1e10 * 1e10 * 1e10 ORDER BY x', { params: [true] })).toEqual([
      [true, 1e30],
    ])
    await expect(rowsOf('SELECT $1', { params: ['a\0b'] })).rejects.toMatchObject({ code: 'QUERY_INVALID' })
  })

  test('a long answer is cut at the row limit, and says so', async () => {
    const { bytes, ...summary } = await bytesOf('SELECT * FROM range(100000)', { rowLimit: 3_000 })
    expect(JSON.parse(bytes.toString())).toHaveLength(3_000)
    expect(summary).toMatchObject({ rowCount: 3_000, isTruncated: true, nextCursor: null })
    expect(summary.warnings).toEqual([expect.stringContaining('ORDER BY')])
  })

  test('an answer larger than it may be is broken off, not cut', async () => {
    const asked = bytesOf("SELECT repeat('x', 1000) FROM range(1000000)", { rowLimit: 20_000 })
    await expect(asked).rejects.toMatchObject({ code: 'QUERY_TOO_EXPENSIVE' })
  })

  test('an error in a late row is an error, not the end of the rows', async () => {
    const text =
      'SELECT CASE WHEN i < 150000 THEN i ELSE error(i::VARCHAR)::INTEGER END FROM range(200000) t(i)'
    await expect(rowsOf(text, { rowLimit: 200_000 })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      message: expect.stringContaining('150000'),
    })
  })

  test('an unknown table is named with those there are, and a typo with its place', async () => {
    await expect(rowsOf('SELECT * FROM silver.nothing')).rejects.toMatchObject({
      code: 'TABLE_UNKNOWN',
      message: expect.stringContaining('silver.events'),
    })
    await expect(rowsOf('SELECT id FORM bronze.categories')).rejects.toThrow(/"bronze.*character 16/)
  })
})

describe('versions', () => {
  test('AT reads an older version, beside the newest of the same table', async () => {
    const text = `SELECT (SELECT count(*) FROM bronze.categories AT (VERSION => 1)), count(*) FROM bronze.categories`
    const { bytes, tableVersions } = await bytesOf(text)
    expect(JSON.parse(bytes.toString())).toEqual([[5, 15]])
    expect(tableVersions).toEqual({ 'bronze.categories@1': 1, 'bronze.categories@3': 3 })
  })

  test('AT takes an alias before it, a parameter, and a moment', async () => {
    expect(
      await rowsOf('SELECT count(c.id) FROM bronze.categories AS c AT (VERSION => $1)', { params: [2] }),
    ).toEqual([[10]])
    const [last] = await (await lake.table('bronze.categories')).history(1)
    const moment = new Date((last?.timestampMs ?? 0) + 1_000).toISOString()
    expect(
      await rowsOf(`SELECT count(*) FROM bronze.categories AT (TIMESTAMP => TIMESTAMP '${moment}')`),
    ).toEqual([[15]])
  })

  test('"at" holds for every table the text does not pin', async () => {
    const text = `SELECT (SELECT count(*) FROM bronze.categories AT (VERSION => 2)), count(*) FROM bronze.categories`
    expect(await rowsOf(text, { at: '1' })).toEqual([[10, 5]])
  })

  test('a version or a moment that is not there is refused with those that are', async () => {
    await expect(rowsOf('FROM bronze.categories AT (VERSION => 9)')).rejects.toMatchObject({
      code: 'TABLE_VERSION_UNKNOWN',
      message: expect.stringMatching(/bronze\.categories.*from 0 to 3/),
    })
    await expect(rowsOf('FROM bronze.categories', { at: '2001-01-01' })).rejects.toMatchObject({
      code: 'TABLE_VERSION_UNKNOWN',
      message: expect.stringContaining('the oldest is of'),
    })
  })

  test('two tables that are written together are read together, though writes go on', async () => {
    let isWriting = true
    const writing = (async () => {
      for (let i = 0; isWriting; i++) {
        await lake.write('gold.model_metrics', metric(i), { mode: 'append' })
        await lake.write('bronze.rejected_products', rejected(i), { mode: 'append' })
      }
    })()
    try {
      for (let i = 0; i < 10; i++) {
        const [[first, second] = []] = await rowsOf(
          'SELECT (SELECT count(*) FROM gold.model_metrics), (SELECT count(*) FROM bronze.rejected_products)',
        )
        expect([0, 1]).toContain(Number(first) - Number(second))
      }
    } finally {
      isWriting = false
      await writing
    }
  })
})

describe('pages', () => {
  const text = 'SELECT id, category_name FROM bronze.categories ORDER BY category_name DESC'

  async function pagesOf(sqlText: string, rowLimit: number): Promise<unknown[][][]> {
    const pages: unknown[][][] = []
    let cursor: string | undefined
    do {
      const { bytes, ...summary } = await bytesOf(sqlText, { rowLimit, ...(cursor ? { cursor } : {}) })
      pages.push(JSON.parse(bytes.toString()))
      cursor = summary.nextCursor ?? undefined
    } while (cursor !== undefined)
    return pages
  }

  test('together are the whole, each row once, though the order has ties', async () => {
    const whole = await rowsOf(text)
    const pages = await pagesOf(text, 4)
    expect(pages.map((page) => page.length)).toEqual([4, 4, 4, 3])
    expect(pages.flat()).toEqual(whole)
  })

  test('stay within a LIMIT and OFFSET of the text', async () => {
    const pages = await pagesOf(`${text} LIMIT 7 OFFSET 2`, 3)
    expect(pages.flat()).toEqual((await rowsOf(text)).slice(2, 9))
  })

  test('of UNION, DISTINCT and GROUP BY follow one another too', async () => {
    for (const query of [
      'SELECT id FROM bronze.categories UNION ALL SELECT category_name FROM bronze.categories ORDER BY id DESC',
      'SELECT * FROM (SELECT id FROM bronze.categories UNION SELECT category_name FROM bronze.categories) ORDER BY left(id, 1)',
      'SELECT DISTINCT category_name FROM bronze.categories ORDER BY 1',
      'SELECT category_name, count(*) AS n FROM bronze.categories GROUP BY ALL ORDER BY n',
      'SELECT * FROM bronze.categories ORDER BY ALL',
      'WITH c AS (SELECT * FROM bronze.categories) SELECT upper(id) AS u, * FROM c ORDER BY c.category_name',
    ]) {
      expect((await pagesOf(query, 2)).flat(), query).toEqual(await rowsOf(query))
    }
  })

  test('come from the versions of the first page', async () => {
    const query = 'SELECT line_number FROM bronze.rejected_products ORDER BY 1'
    await lake.write('bronze.rejected_products', rejected(-2), { mode: 'append' })
    await lake.write('bronze.rejected_products', rejected(-1), { mode: 'append' })
    const first = await bytesOf(query, { rowLimit: 1 })
    await lake.write('bronze.rejected_products', rejected(-3), { mode: 'append' })
    const second = await bytesOf(query, { rowLimit: 1, cursor: first.nextCursor ?? '' })
    expect([first, second].map(({ bytes }) => JSON.parse(bytes.toString()))).toEqual([[[-2]], [[-1]]])
    expect(second.tableVersions).toEqual(first.tableVersions)
  })

  test('are not offered where they would not fit together', async () => {
    const summaryOf = (query: string) => bytesOf(query, { rowLimit: 2 })
    for (const query of [
      'SELECT id FROM bronze.categories',
      'SELECT id, random() AS r FROM bronze.categories ORDER BY r',
      'SELECT id, now() FROM bronze.categories ORDER BY id',
      'SELECT id FROM bronze.categories USING SAMPLE 5 ORDER BY id',
      'SELECT id FROM bronze.categories ORDER BY id LIMIT 3 + 4',
    ]) {
      const { isTruncated, nextCursor, warnings } = await summaryOf(query)
      expect({ isTruncated, nextCursor }, query).toEqual({ isTruncated: true, nextCursor: null })
      expect(warnings, query).toHaveLength(1)
    }
  })

  test('a cursor of another query, or no cursor, is refused', async () => {
    const { nextCursor } = await bytesOf(text, { rowLimit: 1 })
    for (const [query, cursor] of [
      [`${text} `, nextCursor],
      [text, 'nonsense'],
      [text, Buffer.from('[1,2]').toString('base64url')],
    ] as const) {
      await expect(rowsOf(query, { cursor: cursor ?? '' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    }
  })
})

describe('formats', () => {
  const text = `SELECT i, i::VARCHAR AS s, TIMESTAMPTZ '2026-01-02 03:04:05.678901+07' + INTERVAL (i) SECOND AS ts,
    [1, NULL, i] AS l, {'a': i, 'b': 'x'} AS st, MAP {'k': i} AS m, 1.25::DECIMAL(5, 2) AS d, DATE '2026-01-02' AS day,
    sum(i) OVER () AS total, NULL::INTEGER AS n, INTERVAL 1 DAY AS iv, 'a"b,c' AS q FROM range(5000) t(i)`

  test('CSV quotes what must be quoted', async () => {
    const values = `'a"b,c' AS "x,y", NULL AS n, '' AS e, 'two' || chr(10) || 'lines' AS t, [1, 2] AS l, true AS b`
    const { bytes } = await bytesOf(`SELECT ${values}`, { format: 'csv' })
    expect(bytes.toString()).toBe('"x,y",n,e,t,l,b\r\n"a""b,c",,"","two\nlines","[1,2]",true\r\n')
  })

  test('an Arrow stream holds the rows of all chunks, typed', async () => {
    const { bytes, ...summary } = await bytesOf(text, { format: 'arrow', rowLimit: 4_000 })
    expect(summary).toMatchObject({ rowCount: 4_000, isTruncated: true })
    const table = tableFromIPC(bytes, { useBigInt: true, useDecimalInt: true, useBigIntTimestamp: true })
    expect(table.numRows).toBe(4_000)
    const row = table.get(3_999) as Record<string, unknown>
    expect(row).toMatchObject({
      i: 3_999n,
      s: '3999',
      ts: BigInt(Date.UTC(2026, 0, 1, 20, 4, 5)) * 1000n + 3_999_678_901n,
      d: 125n,
      total: 12_497_500n,
      n: null,
      q: 'a"b,c',
      iv: '1 day',
      st: { a: 3_999n, b: 'x' },
    })
    expect([...(row.l as Iterable<unknown>)]).toEqual([1n, null, 3_999n])
    expect(row.m).toEqual([['k', 3_999n]])
  })

  test('Parquet and Arrow of no rows have their columns', async () => {
    const none = 'SELECT id, 1.5::DECIMAL(4, 1) AS d FROM bronze.categories WHERE false'
    const arrow = tableFromIPC((await bytesOf(none, { format: 'arrow' })).bytes)
    expect([arrow.numRows, arrow.names]).toEqual([0, ['id', 'd']])
    const parquet = await fromParquet((await bytesOf(none, { format: 'parquet' })).bytes)
    expect(parquet).toEqual([])
  })

  test('a Parquet file holds the rows, typed', async () => {
    const { bytes } = await bytesOf(text, { format: 'parquet', rowLimit: 4_000 })
    const rows = await fromParquet(bytes)
    expect(rows).toHaveLength(4_000)
    expect(rows[3_999]).toMatchObject({
      i: '3999',
      ts: '2026-01-01 21:10:44.678901+00',
      d: '1.25',
      day: '2026-01-02',
      l: ['1', null, '3999'],
    })
  })

  async function fromParquet(bytes: Buffer): Promise<Record<string, unknown>[]> {
    const file = join(folder, 'answer.parquet')
    writeFileSync(file, bytes)
    const connection = await duckdb.connect()
    try {
      return (await connection.runAndReadAll(`SELECT * FROM '${file}'`)).getRowObjectsJson() as Record<
        string,
        unknown
      >[]
    } finally {
      connection.closeSync()
    }
  }
})

describe('bounds', () => {
  test('a runaway query is gone within a second after its deadline, and another process answers meanwhile', async () => {
    const startedAt = performance.now()
    const runaway = rowsOf(RUNAWAY, { timeoutMs: 3_000 }).catch((error: unknown) => ({
      error,
      tookMs: performance.now() - startedAt,
    }))
    expect(await rowsOf('SELECT count(*) FROM bronze.categories')).toEqual([[15]])
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    const { error, tookMs } = (await runaway) as { error: unknown; tookMs: number }
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(tookMs).toBeLessThan(4_000)
  })

  test('the deadline holds while rows are taken slowly', async () => {
    const answer = await sql.ask({
      sql: "SELECT repeat('x', 100) FROM range(30000)",
      format: 'json',
      rowLimit: 30_000,
      timeoutMs: 3_000,
    })
    const takeSlowly = async () => {
      for await (const _bytes of answer.body) await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    await expect(takeSlowly()).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  })

  test('an asker who goes takes the query along', async () => {
    const controller = new AbortController()
    const asked = rowsOf(RUNAWAY, { signal: controller.signal })
    setTimeout(() => controller.abort(), 300)
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
    const left = await sql.ask({
      sql: 'SELECT * FROM range(300000)',
      format: 'json',
      rowLimit: 300_000,
      timeoutMs: 20_000,
    })
    for await (const _bytes of left.body) break
    expect(await rowsOf('SELECT 1')).toEqual([[1]])
  })

  test('questions beyond the queue are refused at once, those that waited too long later', async () => {
    const small = openSql(1, 1, 500)
    try {
      await small.isHealthy()
      const asked = [1, 2, 3].map(() =>
        rowsOf(RUNAWAY, { timeoutMs: 3_000 }, small).catch((error: { code: string }) => error.code),
      )
      const outcomes = (await Promise.all(asked)).sort()
      expect(outcomes).toEqual(['QUERY_QUEUE_FULL', 'QUERY_QUEUE_FULL', 'QUERY_TIMEOUT'])
      await expect
        .poll(() => rowsOf('SELECT 1', {}, small).catch(() => null), { timeout: 10_000 })
        .toEqual([[1]])
    } finally {
      await small.close()
    }
  })

  test('nothing is left of processes that ended', async () => {
    await rowsOf(RUNAWAY, { timeoutMs: 100 }).catch(() => {})
    await rowsOf('SELECT 1')
    await sql.isHealthy()
    expect(readdirSync(join(folder, 'sql')).length).toBeLessThanOrEqual(3)
  })
})

function metric(i: number): string {
  return `SELECT ${i} AS version, 'walk' AS kind, 'recall@20' AS metric, 0.1 AS value, now() AS trained_at`
}

function rejected(i: number): string {
  return `SELECT ${i} AS line_number, 'r' AS reason, 'd' AS detail, 'x' AS raw, 'a' AS asin, now() AS rejected_at`
}

test('a server that is killed leaves neither processes nor, for long, folders', async () => {
  const code = `
    import { openDuckDb } from '${join(import.meta.dirname, '../../lake/duckdb.ts')}'
    import { openLake } from '${join(import.meta.dirname, '../../lake/lake.ts')}'
    import { openSandboxedSql } from '${join(import.meta.dirname, 'sandboxed-sql.ts')}'
    const duckdb = await openDuckDb({ temporaryFolder: '${join(folder, 'tmp')}', memoryBytes: 2 ** 28 })
    const lake = openLake({ root: '${join(folder, 'lake')}', duckdb })
    const sql = openSandboxedSql({ lake, lakeRoot: '${join(folder, 'lake')}', temporaryFolder: '${join(folder, 'orphans')}',
      processCount: 1, memoryBytes: 2 ** 28, diskBytes: 2 ** 28, threadCount: 1, resultBytes: 2 ** 20, queueLimit: 1, waitMs: 1e4 })
    await sql.isHealthy()
    const asked = sql.ask({ sql: '${RUNAWAY}', format: 'json', rowLimit: 1, timeoutMs: 60_000 })
    setTimeout(() => console.log('asked'), 500)
    await asked`
  const server = spawn(process.execPath, ['--input-type=module-typescript', '-e', code])
  await once(server.stdout, 'data')
  const [childFolder = ''] = readdirSync(join(folder, 'orphans'))
  const ofChild = join(folder, 'orphans', childFolder)
  const running = () => processesIn(ofChild)
  if (process.platform === 'linux') expect(running()).toHaveLength(1)
  server.kill('SIGKILL')
  await expect.poll(running, { timeout: 10_000 }).toEqual([])
  await removeOrphans(join(folder, 'orphans'))
  expect(readdirSync(join(folder, 'orphans'))).toEqual([])
}, 60_000)

/** Processes that work in a folder; none where there is no /proc. */
function processesIn(path: string): string[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(join('/proc', pid, 'cwd')) === path
    } catch {
      return false
    }
  })
}
