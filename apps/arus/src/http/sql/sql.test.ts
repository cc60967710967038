import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '../../config/settings.ts'
import { openParts } from '../../wiring.ts'
import { openShop } from '../test-api.ts'

/** Never done, in little memory. */
const RUNAWAY = 'SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c'

let close: () => Promise<void>
let shop: Awaited<ReturnType<typeof openShop>>
let url = ''
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-sql-'))
  const parts = openParts(readSettings({ ARUS_DATA_DIR: folder, ARUS_SQL_PROCESS_MEMORY_MB: '256' }, folder))
  const lake = await parts.lake()
  await lake.write(
    'bronze.categories',
    `SELECT i::VARCHAR AS id, 'name' AS category_name FROM range(25) t(i)`,
    {
      mode: 'append',
    },
  )
  shop = await openShop({ sql: await parts.sql() })
  url = await shop.app.listen({ host: '127.0.0.1', port: 0 })
  expect(await (await parts.sql()).isHealthy()).toBe(true)
  close = async () => {
    await shop.app.close()
    await parts.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
afterAll(() => close())

async function ask(body: unknown, headers: Record<string, string> = {}) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  return shop.app.inject({
    method: 'POST',
    url: '/sql',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  })
}

describe('POST /sql', () => {
  test('answers as JSON with types, versions and what is left', async () => {
    const response = await ask({
      sql: 'SELECT id::INTEGER AS id FROM bronze.categories WHERE id != $1 ORDER BY 1',
      params: ['0'],
      row_limit: 2,
    })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({
      columns: [{ name: 'id', type: 'INTEGER' }],
      rows: [[1], [2]],
      row_count: 2,
      truncated: true,
      next_cursor: expect.any(String),
      warnings: [],
      table_versions: { 'bronze.categories': 1 },
      took_ms: expect.any(Number),
    })
  })

  test('pages by cursor to the end', async () => {
    const asked = { sql: 'FROM bronze.categories ORDER BY category_name', row_limit: 10 }
    const ids: string[] = []
    for (let cursor: string | undefined, pages = 0; pages < 3; pages++) {
      const page = (await ask({ ...asked, ...(cursor ? { cursor } : {}) })).json()
      ids.push(...page.rows.map(([id]: [string]) => id))
      cursor = page.next_cursor
      expect(cursor === null).toBe(pages === 2)
    }
    expect(new Set(ids).size).toBe(25)
  })

  test('the Accept header chooses the format, "format" goes before it', async () => {
    const sql = 'SELECT 1 AS one'
    const csv = await ask({ sql }, { accept: 'text/html, text/csv;q=0.9, application/json;q=0.5' })
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.body).toBe('one\r\n1\r\n')
    expect(csv.headers['x-arus-table-versions']).toBe('{}')
    expect(csv.headers).toMatchObject({ 'x-arus-row-count': '1', 'x-arus-truncated': 'false' })
    const arrow = await ask({ sql, format: 'arrow' }, { accept: 'text/csv' })
    expect(arrow.headers['content-type']).toBe('application/vnd.apache.arrow.stream')
    expect(tableFromIPC(arrow.rawPayload).toArray()).toEqual([{ one: 1 }])
    const parquet = await ask({ sql }, { accept: 'application/vnd.apache.parquet' })
    expect(parquet.rawPayload.subarray(0, 4).toString()).toBe('PAR1')
    expect((await ask({ sql }, { accept: 'image/png' })).json()).toMatchObject({ code: 'NOT_ACCEPTABLE' })
  })

  test.each([
    ['an empty body', '', 400, 'REQUEST_INVALID'],
    ['no JSON', '{', 400, 'REQUEST_INVALID'],
    ['no sql', {}, 400, 'REQUEST_INVALID'],
    ['a number as sql', { sql: 1 }, 400, 'REQUEST_INVALID'],
    ['an unknown field', { sql: 'SELECT 1', limit: 3 }, 400, 'REQUEST_INVALID'],
    ['no rows', { sql: 'SELECT 1', row_limit: 0 }, 400, 'REQUEST_INVALID'],
    ['an endless time', { sql: 'SELECT 1', timeout_ms: 1e9 }, 400, 'REQUEST_INVALID'],
    ['a broken cursor', { sql: 'SELECT 1', cursor: 'x' }, 400, 'REQUEST_INVALID'],
    ['a list as parameter', { sql: 'SELECT $1', params: [[1]] }, 400, 'REQUEST_INVALID'],
    ['no SELECT', { sql: 'DROP SCHEMA bronze' }, 400, 'QUERY_INVALID'],
    ['a failing cast', { sql: "SELECT 'x'::INTEGER" }, 400, 'QUERY_INVALID'],
    ['an unknown table', { sql: 'FROM silver.nothing' }, 404, 'TABLE_UNKNOWN'],
    ['an unknown version', { sql: 'FROM bronze.categories', at: '7' }, 404, 'TABLE_VERSION_UNKNOWN'],
    ['too little time', { sql: RUNAWAY, timeout_ms: 200 }, 408, 'QUERY_TIMEOUT'],
    ['too much memory', { sql: "SELECT repeat('x', 4000000000)" }, 422, 'QUERY_TOO_EXPENSIVE'],
    ['too long a text', { sql: `SELECT '${'x'.repeat(2_000_000)}'` }, 413, 'BODY_TOO_LARGE'],
  ])('%s is a problem document', async (_what, body, status, code) => {
    const response = await ask(body)
    expect(response.json()).toMatchObject({ status, code })
    expect(response.statusCode).toBe(status)
    expect(response.headers['content-type']).toContain('application/problem+json')
  })

  test('a body that is no JSON by its type is refused', async () => {
    expect((await ask('SELECT 1', { 'content-type': 'text/plain' })).statusCode).toBe(415)
  })

  test('a failure after the first rows breaks the answer off', async () => {
    // More than may be sent, and more than the socket and the streams on the way hold.
    const sql = "SELECT repeat('x', 2000) FROM range(20000)"
    const response = await fetch(`${url}/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
      body: JSON.stringify({ sql, row_limit: 20_000, timeout_ms: 8_000 }),
    })
    expect(response.status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 8_500))
    await expect(response.text()).rejects.toThrow()
  })

  test('a client that goes frees the process', async () => {
    for (let i = 0; i < 3; i++) {
      const { port } = new URL(url)
      const body = JSON.stringify({ sql: RUNAWAY, timeout_ms: 100_000 })
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(
            `POST /sql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
          )
          setTimeout(() => resolve(void socket.destroy()), 200)
        })
      })
    }
    expect((await ask({ sql: 'SELECT 1' })).json().rows).toEqual([[1]])
  })

  test('the API answers on while every process runs away', async () => {
    const quietMs = await latencyP99(1_500)
    const runaways = [1, 2].map(() => ask({ sql: RUNAWAY, timeout_ms: 4_000 }))
    const busyMs = await latencyP99(2_500)
    // What the machine does besides is in both; in-process, one such query takes the API away for seconds.
    expect(busyMs).toBeLessThan(100 + 5 * quietMs)
    for (const runaway of await Promise.all(runaways)) expect(runaway.json().code).toBe('QUERY_TIMEOUT')
  })
})

/** 99th percentile of `/health`, asked again and again for a time; milliseconds. */
async function latencyP99(forMs: number): Promise<number> {
  const latencies: number[] = []
  const endMs = performance.now() + forMs
  while (performance.now() < endMs) {
    const startedMs = performance.now()
    expect((await fetch(`${url}/health`)).status).toBe(200)
    latencies.push(performance.now() - startedMs)
  }
  return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.POSITIVE_INFINITY
}
