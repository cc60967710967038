import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeOrphans } from './sandbox-child.ts'
import { openTestSql, RUNAWAY, type TestSql } from './test-sql.ts'

let shop: TestSql
beforeAll(async () => {
  shop = await openTestSql()
})
afterAll(() => shop.close())
const rowsOf: TestSql['rowsOf'] = (...asked) => shop.rowsOf(...asked)

describe('bounds', () => {
  test('a runaway query is gone at its deadline, and another process answers meanwhile', async () => {
    const startedAt = performance.now()
    let isOver = false
    const runaway = rowsOf(RUNAWAY, { timeoutMs: 5_000 }).catch((error: unknown) => {
      isOver = true
      return { error, tookMs: performance.now() - startedAt }
    })
    expect(await rowsOf('SELECT count(*) FROM bronze.categories')).toEqual([[15]])
    expect(isOver).toBe(false)
    const { error, tookMs } = (await runaway) as { error: unknown; tookMs: number }
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(tookMs).toBeGreaterThan(4_900)
    // A second on a free machine; a query that is not killed would go on for hours.
    expect(tookMs).toBeLessThan(20_000)
  })

  test('the deadline holds while rows are taken slowly', async () => {
    const answer = await shop.sql.ask({
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
    const left = await shop.sql.ask({
      sql: 'SELECT * FROM range(300000)',
      format: 'json',
      rowLimit: 300_000,
      timeoutMs: 20_000,
    })
    for await (const _bytes of left.body) break
    expect(await rowsOf('SELECT 1')).toEqual([[1]])
  })

  test('questions beyond the queue are refused at once, those that waited too long later', async () => {
    const small = shop.open(1, 1, 500)
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

  test('a question whose time ends while it waits is told so on time, and costs no process', async () => {
    const small = shop.open(1)
    try {
      await small.isHealthy()
      const running = small.ask({ sql: RUNAWAY, format: 'json', rowLimit: 1, timeoutMs: 3_000 }).catch(codeOf)
      const startedAt = performance.now()
      expect(await rowsOf('SELECT 1', { timeoutMs: 300 }, small).catch(codeOf)).toBe('QUERY_TIMEOUT')
      expect(performance.now() - startedAt).toBeLessThan(2_000)
      expect(await running).toBe('QUERY_TIMEOUT')
      expect(await rowsOf('SELECT 1', {}, small)).toEqual([[1]])
    } finally {
      await small.close()
    }
  })

  test('nothing is left of processes that ended', async () => {
    await rowsOf(RUNAWAY, { timeoutMs: 100 }).catch(() => {})
    await rowsOf('SELECT 1')
    await shop.sql.isHealthy()
    expect(readdirSync(join(shop.folder, 'sql')).length).toBeLessThanOrEqual(3)
  })
})

test('a server that is killed leaves neither processes nor, for long, folders', async () => {
  const code = `
    import { openDuckDb } from '${join(import.meta.dirname, '../../lake/duckdb.ts')}'
    import { openLake } from '${join(import.meta.dirname, '../../lake/lake.ts')}'
    import { openSandboxedSql } from '${join(import.meta.dirname, 'sandboxed-sql.ts')}'
    const duckdb = await openDuckDb({ temporaryFolder: '${join(shop.folder, 'tmp')}', memoryBytes: 2 ** 28 })
    const lake = openLake({ root: '${join(shop.folder, 'lake')}', duckdb })
    const sql = openSandboxedSql({ lake, lakeRoot: '${join(shop.folder, 'lake')}', temporaryFolder: '${join(shop.folder, 'orphans')}',
      processCount: 1, memoryBytes: 2 ** 28, diskBytes: 2 ** 28, threadCount: 1, resultBytes: 2 ** 20, queueLimit: 1, waitMs: 1e4 })
    await sql.isHealthy()
    const asked = sql.ask({ sql: '${RUNAWAY}', format: 'json', rowLimit: 1, timeoutMs: 60_000 })
    setTimeout(() => console.log('asked'), 500)
    await asked`
  const server = spawn(process.execPath, ['--input-type=module-typescript', '-e', code])
  await once(server.stdout, 'data')
  const [childFolder = ''] = readdirSync(join(shop.folder, 'orphans'))
  const ofChild = join(shop.folder, 'orphans', childFolder)
  const running = () => processesIn(ofChild)
  if (process.platform === 'linux') expect(running()).toHaveLength(1)
  server.kill('SIGKILL')
  await expect.poll(running, { timeout: 10_000 }).toEqual([])
  await removeOrphans(join(shop.folder, 'orphans'))
  expect(readdirSync(join(shop.folder, 'orphans'))).toEqual([])
})

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code
}

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
