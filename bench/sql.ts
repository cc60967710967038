import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../apps/arus/src/lake/duckdb.ts'
import { type Lake, openLake } from '../apps/arus/src/lake/lake.ts'
import { type LakeSql, SQL_FORMATS, type SqlFormat } from '../apps/arus/src/query/lake-sql.ts'
import { openSandboxedSql } from '../apps/arus/src/query/sandbox/sandboxed-sql.ts'
import { printComparisons } from './measure.ts'

const MEBIBYTE = 1024 * 1024
const ROUNDS = 3
const TICKS_PER_SECOND = 100
/** Twelve columns of the usual types. */
const QUERY = `SELECT event_id, shopper, session, action, product_id, category, ts, price, quantity, position, log_offset, event_date FROM silver.events`
/** What DuckDB writes with COPY; it has no Arrow. */
const COPY_OPTIONS: Readonly<Partial<Record<SqlFormat, string>>> = {
  json: 'FORMAT json, ARRAY true',
  csv: 'FORMAT csv',
  parquet: 'FORMAT parquet, COMPRESSION zstd',
}

interface Run {
  /** Of the server and of the sandbox's processes. */
  readonly cpuSeconds: number
  readonly serverCpuSeconds: number
  readonly seconds: number
  readonly firstByteMs: number
  readonly loopDelayMsP99: number
  readonly sizeBytes: number
  readonly sandboxMegabytes: number
  readonly serverMegabytes: number
}

/** Answers of `rowCount` rows in every format, from the question to the last byte, against DuckDB's own COPY of the same rows. */
export async function benchSql({ rowCount }: { readonly rowCount: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-sql-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 1024 * MEBIBYTE })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  const sql = openSandboxedSql({
    lake,
    lakeRoot: join(folder, 'lake'),
    temporaryFolder: join(folder, 'sql'),
    processCount: 1,
    memoryBytes: 512 * MEBIBYTE,
    diskBytes: 1024 * MEBIBYTE,
    threadCount: 1,
    resultBytes: 2048 * MEBIBYTE,
    queueLimit: 1,
    waitMs: 60_000,
  })
  try {
    await lake.write('silver.events', eventsSql(rowCount), { mode: 'append' })
    await sql.isHealthy()
    const copies = await openCopier(lake, folder)
    for (const format of SQL_FORMATS) {
      const ours: Run[] = []
      const theirs: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await answer(sql, format, rowCount))
        theirs.push(await copies.cpuSecondsOf(format))
      }
      report(format, rowCount, ours, theirs)
    }
    copies.close()
  } finally {
    await sql.close()
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  }
}

async function answer(sql: LakeSql, format: SqlFormat, rowLimit: number): Promise<Run> {
  forgetPeaks()
  const loop = monitorEventLoopDelay({ resolution: 1 })
  const [serverBefore, sandboxBefore, startedAt] = [
    process.cpuUsage(),
    sandboxCpuSeconds(),
    performance.now(),
  ]
  loop.enable()
  const { body } = await sql.ask({ sql: QUERY, format, rowLimit, timeoutMs: 600_000 })
  let firstByteMs = 0
  let sizeBytes = 0
  for await (const bytes of body) {
    if (sizeBytes === 0) firstByteMs = performance.now() - startedAt
    sizeBytes += bytes.byteLength
    // As a socket does: the next piece is asked for in a later turn.
    await new Promise((resolve) => setImmediate(resolve))
  }
  loop.disable()
  const seconds = (performance.now() - startedAt) / 1000
  const serverCpuSeconds = secondsSince(serverBefore)
  return {
    cpuSeconds: serverCpuSeconds + sandboxCpuSeconds() - sandboxBefore,
    serverCpuSeconds,
    seconds,
    firstByteMs,
    loopDelayMsP99: loop.percentile(99) / 1e6,
    sizeBytes,
    sandboxMegabytes: Math.max(...childPids().map(peakMegabytes)),
    serverMegabytes: peakMegabytes('self'),
  }
}

function report(format: SqlFormat, rowCount: number, runs: readonly Run[], copies: readonly number[]): void {
  const perMillion = 1_000_000 / rowCount
  const of = (pick: (run: Run) => number) => median(runs.map(pick))
  const theirs = median(copies) * perMillion
  const what = `${format}: CPU per million rows, against COPY`
  const ours = of(({ cpuSeconds }) => cpuSeconds) * perMillion
  printComparisons(`SQL, ${rowCount.toLocaleString('en')} rows of 12 columns as ${format}`, [
    { what, ours, theirs, unit: 's', budget: 'none' },
  ])
  const server = of(({ serverCpuSeconds }) => serverCpuSeconds) * perMillion
  console.log(
    `  of it in the server ${server.toFixed(2)} s; first byte after ${of(({ firstByteMs }) => firstByteMs).toFixed(0)} ms, last after ${of(({ seconds }) => seconds).toFixed(2)} s;` +
      ` ${(of(({ sizeBytes }) => sizeBytes) / MEBIBYTE).toFixed(0)} MB; event loop p99 ${of(({ loopDelayMsP99 }) => loopDelayMsP99).toFixed(1)} ms;` +
      ` peak memory sandbox ${of(({ sandboxMegabytes }) => sandboxMegabytes).toFixed(0)} MB, server ${of(({ serverMegabytes }) => serverMegabytes).toFixed(0)} MB`,
  )
}

interface Copier {
  /** Not a number for a format COPY does not have. */
  cpuSecondsOf(format: SqlFormat): Promise<number>
  close(): void
}

/** DuckDB's COPY of the same rows out of the same files, on one thread too. */
async function openCopier(lake: Lake, folder: string): Promise<Copier> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MiB' })
  const connection = await instance.connect()
  const events = await lake.relation('silver.events')
  await connection.run(`CREATE SCHEMA silver; CREATE VIEW silver.events AS SELECT * FROM ${events.sql}`)
  return {
    async cpuSecondsOf(format) {
      const options = COPY_OPTIONS[format]
      if (options === undefined) return Number.NaN
      const before = process.cpuUsage()
      await connection.run(`COPY (${QUERY}) TO '${join(folder, `copy.${format}`)}' (${options})`)
      return secondsSince(before)
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Ids of the processes this one started and that still run (Linux). */
function childPids(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(statOf(pid)[1]) === process.pid)
}

/** Fields of /proc/PID/stat from the state on; empty when the process has gone. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  } catch {
    return []
  }
}

function sandboxCpuSeconds(): number {
  return childPids()
    .map(statOf)
    .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, 0)
}

/** Forgets the peaks so far, so that the next are of what follows. */
function forgetPeaks(): void {
  for (const pid of ['self', ...childPids()]) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function peakMegabytes(pid: string): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function eventsSql(rowCount: number): string {
  return `SELECT 'event-' || md5(i::VARCHAR) AS event_id, 'user-' || (i * 7919 % 50000) AS user_id, NULL AS session_id, NULL AS anonymous_id,
      'user-' || (i * 7919 % 50000) AS shopper, 'user-' || (i * 7919 % 50000) || '@' || (i // 20) AS session,
      ['view', 'click', 'add_to_cart', 'purchase'][1 + i % 4] AS action, 'B0' || lpad((i * 31 % 50000)::VARCHAR, 8, '0') AS product_id,
      CASE WHEN i % 9 > 0 THEN 'Category, number ' || i % 248 END AS category,
      make_timestamp(1767225600000000 + i * 1234567)::TIMESTAMPTZ AS ts, make_timestamp(1767225600000000 + i * 1234567)::TIMESTAMPTZ AS received_at,
      round(i * 0.37 % 300, 2) AS price, 1 + i % 3 AS quantity, NULL AS order_id, NULL AS recommendation_id,
      CASE WHEN i % 2 = 0 THEN i % 10 END AS position, NULL AS query, NULL AS properties, i % 4 AS log_partition, i // 4 AS log_offset,
      make_timestamp(1767225600000000 + i * 1234567)::DATE AS event_date
    FROM range(${rowCount}) r(i)`
}
