import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const FIRST_DAY_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
const COMMITS_PER_DAY = 200

/** Events of a shop over `days` dates in the order of the log, as one Parquet file: the same on every run. */
export async function writeEvents(
  file: string,
  { rowCount, days }: { readonly rowCount: number; readonly days: number },
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`
    SET TimeZone = 'UTC'; SET preserve_insertion_order = true;
    COPY (
      SELECT i AS log_offset, md5('e' || i) AS event_id, 'user-' || (hash(i) % 50000) AS user_id,
        'session-' || (hash(i // 7) % 400000) AS session_id,
        ['view', 'view', 'view', 'click', 'click', 'add_to_cart', 'purchase', 'search'][1 + (hash(i * 3) % 8)::INTEGER] AS action,
        CASE WHEN hash(i * 3) % 8 <> 7 THEN 'B' || lpad((hash(i * 5) % 1000000)::VARCHAR, 9, '0') END AS product_id,
        ts, ts + to_milliseconds((hash(i * 11) % 900)::INTEGER) AS received_at,
        (hash(i * 7) % 100000)::DOUBLE / 100 AS price, (1 + hash(i * 13) % 3)::INTEGER AS quantity,
        CASE WHEN hash(i * 3) % 8 = 6 THEN 'order-' || hash(i) END AS order_id, ts::DATE AS date
      FROM (
        SELECT i, make_timestamptz(${FIRST_DAY_MS * 1000} + (i * ${(days * DAY_MS * 1000) / rowCount})::BIGINT) AS ts
        FROM range(${rowCount}) t(i)
      ) ORDER BY i
    ) TO '${file}' (FORMAT parquet, COMPRESSION snappy)`)
  connection.closeSync()
  instance.closeSync()
}

/**
 * Commits of the log of a table of events, from `first` up to before `end`: each adds one file, with statistics of all its
 * columns. The files themselves are not there, for opening a table does not read them.
 */
export function writeCommits(folder: string, range: { readonly first: number; readonly end: number }): void {
  const log = join(folder, '_delta_log')
  mkdirSync(log, { recursive: true })
  for (let version = range.first; version < range.end; version++) {
    const actions = version === 0 ? [...tableActions(), addAction(version)] : [addAction(version)]
    const lines = [commitInfo(version), ...actions].map((action) => `${JSON.stringify(action)}\n`)
    writeFileSync(join(log, `${String(version).padStart(20, '0')}.json`), lines.join(''))
  }
}

const COLUMNS: Readonly<Record<string, string>> = {
  log_offset: 'long',
  event_id: 'string',
  user_id: 'string',
  session_id: 'string',
  action: 'string',
  product_id: 'string',
  ts: 'timestamp',
  received_at: 'timestamp',
  price: 'double',
  quantity: 'integer',
  order_id: 'string',
  date: 'date',
}

/** Rows of each file of `writeCommits`. */
export const ROWS_PER_COMMIT = 1_000

function commitInfo(version: number): object {
  return {
    commitInfo: {
      timestamp: FIRST_DAY_MS + version,
      operation: 'WRITE',
      operationParameters: { mode: 'Append' },
      isBlindAppend: true,
      engineInfo: 'bench',
    },
  }
}

function tableActions(): object[] {
  const fields = Object.entries(COLUMNS).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }))
  const metaData = {
    id: '7d1b3a52-5f43-4c1e-9a54-2f6f0a6f6d11',
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({ type: 'struct', fields }),
    partitionColumns: ['date'],
    // Neither side is to tidy the log while the other is measured.
    configuration: { 'delta.enableExpiredLogCleanup': 'false' },
    createdTime: FIRST_DAY_MS,
  }
  return [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData }]
}

function addAction(version: number): object {
  const timeMs = FIRST_DAY_MS + version * (DAY_MS / COMMITS_PER_DAY)
  const date = new Date(timeMs).toISOString().slice(0, 10)
  const id = String(version).padStart(12, '0')
  const names = Object.keys(COLUMNS).filter((name) => name !== 'date')
  const stats = {
    numRecords: ROWS_PER_COMMIT,
    minValues: boundsOf(version * ROWS_PER_COMMIT, timeMs, 'a'),
    maxValues: boundsOf((version + 1) * ROWS_PER_COMMIT - 1, timeMs + 60_000, 'z'),
    nullCount: Object.fromEntries(names.map((name) => [name, name === 'order_id' ? 870 : 0])),
  }
  return {
    add: {
      path: `date=${date}/part-00000-8f3c2b1a-4d5e-4f60-9a7b-${id}-c000.snappy.parquet`,
      partitionValues: { date },
      size: 60_000 + version,
      modificationTime: timeMs,
      dataChange: true,
      stats: JSON.stringify(stats),
    },
  }
}

function boundsOf(logOffset: number, timeMs: number, letter: string): object {
  const time = new Date(timeMs).toISOString()
  return {
    log_offset: logOffset,
    event_id: `${letter}0d3b0a7e1c24f5f9d6c8b7a6e5d4c3b`,
    user_id: `user-${letter}`,
    session_id: `session-${letter}`,
    action: letter === 'a' ? 'add_to_cart' : 'view',
    product_id: `B00000${letter}`,
    ts: time,
    received_at: time,
    price: letter === 'a' ? 0.99 : 999.5,
    quantity: letter === 'a' ? 1 : 3,
    order_id: `order-${letter}`,
  }
}
