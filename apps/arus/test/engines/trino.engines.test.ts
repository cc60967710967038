/** SQL by a real Trino, over the lake in a bucket. */
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Health } from '../../src/api-schema/index.ts'
import { openParts } from '../../src/wiring.ts'
import { importProducts, newShop, RunningShop, shopAWhile } from '../forget/shop.ts'
import { TrinoShop } from './trino-shop.ts'

let place: TrinoShop
let running: RunningShop
beforeAll(async () => {
  place = await TrinoShop.open()
  await importProducts(place.shop)
  running = await RunningShop.start(place.shop)
  await shopAWhile(running)
})
afterAll(async () => {
  await running.stop()
  await place.destroy()
})

const ask = (sql: string, more: object = {}) => running.post('/sql', { sql, ...more })

test('every table has the rows that DuckDB finds in it, and new ones at once', async () => {
  const query = await running.parts.query()
  const tables = (await (await running.parts.lake()).describe()).map((table) => table.name)
  expect(tables.length).toBeGreaterThan(10)
  for (const table of tables) {
    const sql = `SELECT count(*) AS n FROM ${table}`
    const ours = (await query.query(sql)).rows
    expect(await ask(sql), table).toMatchObject({ rows: ours })
  }
  const before = await ask(`SELECT count(*) FROM bronze.events WHERE user_id = 'tri'`)
  expect(before).toMatchObject({ rows: [[0]] })
  await running.post('/stream/events', [{ user_id: 'tri', action: 'view', product_id: 'B0001' }])
  await running.server.refineNow()
  expect(await ask(`SELECT count(*) FROM bronze.events WHERE user_id = 'tri'`)).toMatchObject({ rows: [[1]] })
})

test('the figures of a question are those of DuckDB', async () => {
  const query = await running.parts.query()
  const questions = [
    `SELECT action, count(*) AS n, count(DISTINCT user_id) AS users, sum(price * quantity) AS worth FROM silver.events GROUP BY action ORDER BY action`,
    `SELECT event_date, count(*) AS n FROM silver.events GROUP BY event_date ORDER BY event_date`,
    `SELECT category, count(*) AS n, min(price) AS cheapest FROM silver.products GROUP BY category ORDER BY category`,
    `SELECT product_id, views, purchases FROM gold.product_stats ORDER BY views DESC, product_id LIMIT 20`,
    `SELECT user_id, ts FROM silver.events ORDER BY ts, event_id LIMIT 50`,
  ]
  for (const sql of questions) {
    const { rows } = await query.query(sql)
    expect(await ask(sql), sql).toMatchObject({ rows })
  }
})

test('values of every type, in every format', async () => {
  const sql = `SELECT 9007199254740993 AS big, CAST(1.50 AS decimal(10, 2)) AS money, DATE '2026-01-02' AS day,
    TIMESTAMP '2026-01-02 03:04:05.123456 Asia/Jakarta' AS moment, TIMESTAMP '2026-01-02 03:04:05.1' AS local, true AS yes,
    CAST(NULL AS varchar) AS nothing, 'ü, "x"' AS text, X'00ff' AS bytes, nan() AS nan, REAL '1.1' AS real,
    ARRAY[1, NULL, 3] AS list, MAP(ARRAY['a'], ARRAY[1]) AS map, CAST(ROW(1, 'x') AS row(a integer, b varchar)) AS pair`
  expect(await ask(sql)).toMatchObject({
    columns: expect.arrayContaining([{ name: 'money', type: 'decimal(10, 2)' }]),
    rows: [
      [
        '9007199254740993',
        expect.anything(),
        '2026-01-02',
        '2026-01-01T20:04:05.123Z',
        expect.stringContaining('2026-01-02'),
        true,
        null,
        'ü, "x"',
        expect.anything(),
        null,
        expect.closeTo(1.1, 5),
        [1, null, 3],
        expect.anything(),
        { a: 1, b: 'x' },
      ],
    ],
  })
  const bytes = async (format: string) => {
    const response = await fetch(`${running.server.apiUrl}/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        sql: 'SELECT n FROM UNNEST(sequence(1, 5000)) AS t(n) ORDER BY n',
        format,
        row_limit: 5_000,
      }),
    })
    expect(response.status).toBe(200)
    return new Uint8Array(await response.arrayBuffer())
  }
  expect(
    Buffer.from(await bytes('csv'))
      .toString()
      .trim()
      .split('\r\n'),
  ).toHaveLength(5_001)
  const table = tableFromIPC(Uint8Array.from(await bytes('arrow')))
  expect([table.numRows, Number(table.getChild('n').at(4_999))]).toEqual([5_000, 5_000])
  expect(
    Buffer.from(await bytes('parquet'))
      .subarray(0, 4)
      .toString(),
  ).toBe('PAR1')
})

test('parameters by place; rows beyond the limit are left out and told', async () => {
  expect(await ask('SELECT ? + 1 AS n, ? AS t', { params: [2, "it's"] })).toMatchObject({
    rows: [[3, "it's"]],
  })
  const many = { row_limit: 10 }
  expect(await ask('SELECT n FROM UNNEST(sequence(1, 10000)) AS t(n)', many)).toMatchObject({
    row_count: 10,
    truncated: true,
  })
})

test.each([
  ['DROP TABLE silver.events', 400, 'QUERY_INVALID'],
  ['DELETE FROM silver.events', 400, 'QUERY_INVALID'],
  ['INSERT INTO silver.events SELECT * FROM silver.events', 400, 'QUERY_INVALID'],
  ["CALL system.runtime.kill_query('x', 'y')", 400, 'QUERY_INVALID'],
  ['SET SESSION query_priority = 2', 400, 'QUERY_INVALID'],
  ['CREATE TABLE silver.x AS SELECT 1 AS a', 400, 'QUERY_INVALID'],
  ['SELECT 1) AS t, (SELECT 2', 400, 'QUERY_INVALID'],
  ['SELECT 1; DROP TABLE silver.events', 400, 'QUERY_INVALID'],
  ['SELECT * FROM silver.nothing', 404, 'TABLE_UNKNOWN'],
  ['SELEC 1', 400, 'QUERY_INVALID'],
])('%s is refused', async (sql, status, code) => {
  expect(await ask(sql)).toMatchObject({ status, code })
})

test('a query that runs on is ended at its deadline, on the server too', async () => {
  const sql = `SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(n), UNNEST(sequence(1, 10000)) AS b(n), UNNEST(sequence(1, 1000)) AS c(n) WHERE a.n * b.n * c.n = 7`
  const startedAt = performance.now()
  expect(await ask(sql, { timeout_ms: 1_500 })).toMatchObject({ status: 408, code: 'QUERY_TIMEOUT' })
  expect(performance.now() - startedAt).toBeLessThan(15_000)
  const running = async () =>
    (await ask(
      `SELECT count(*) FROM system.runtime.queries WHERE state = 'RUNNING' AND query LIKE '%c(n)%' AND query NOT LIKE '%runtime%'`,
    )) as {
      rows: number[][]
    }
  await expect.poll(async () => (await running()).rows, { timeout: 20_000 }).toEqual([[0]])
})

test('while Trino is away everything else goes on, and SQL says so', async () => {
  place.gate.shut()
  expect(await ask('SELECT 1')).toMatchObject({
    status: 503,
    code: 'ENGINE_UNREACHABLE',
    detail: expect.stringContaining('TRINO_URL'),
  })
  const health = (await running.get('/health')) as Health
  expect(health.slots.find(({ slot }) => slot === 'sql')).toMatchObject({
    adapter: 'trino',
    status: 'down',
    problem: expect.stringContaining('does not answer'),
  })
  expect(await running.get('/analytics/funnel')).not.toHaveProperty('code')
  place.gate.open()
  expect(await ask('SELECT 1 AS one')).toMatchObject({ rows: [[1]] })
})

test('an address where no Trino is: one line within seconds', async () => {
  const other = newShop({ TRINO_URL: 'http://127.0.0.1:9' })
  const parts = openParts(other.settings)
  const sql = await parts.sql()
  const startedAt = performance.now()
  await expect(sql.isHealthy()).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  await parts.close()
  other.destroy()
})
