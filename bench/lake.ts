import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RefinedTable } from '../apps/arus/src/lake/derived-table.ts'
import { openDuckDb } from '../apps/arus/src/lake/duckdb.ts'
import { type Lake, openLake } from '../apps/arus/src/lake/lake.ts'
import { refine } from '../apps/arus/src/lake/refine.ts'
import { type Comparison, printComparisons } from './measure.ts'

const MEMORY_BYTES = 1536 * 1024 * 1024
const DAYS = 90
const SHOPPERS = 200_000
const PRODUCTS = 50_000
const NEW_EVENTS = 1_000
const ROUNDS = 3
/** Rows of bronze made by one statement. */
const CHUNK_ROWS = 1_000_000

interface Run {
  readonly seconds: number
  /** Of this process, all threads. */
  readonly cpuSeconds: number
  readonly writtenBytes: number
  readonly peakMemoryBytes: number
  readonly tables: readonly RefinedTable[]
}

/**
 * Refining after 1,000 new events, by what changed and anew, over a history of `eventCount`: time, bytes written, memory. The history has 1 % repeated ids, ids in no
 * order (no file can be ruled out by them), sessions by gaps, and few products with most events.
 */
export async function benchLake({ eventCount }: { readonly eventCount: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-lake-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: MEMORY_BYTES })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  try {
    await lake.write('silver.products', productsSql(), { mode: 'overwrite' })
    for (let from = 0; from < eventCount; from += CHUNK_ROWS)
      await lake.write(
        'bronze.events',
        eventsSql(from, Math.min(from + CHUNK_ROWS, eventCount), eventCount),
        { mode: 'append' },
      )
    const first = await measured(() => refine(lake))
    const changed: Run[] = []
    for (let round = 0; round < ROUNDS; round++) changed.push(await after(lake, eventCount, round, {}))
    const anew = await after(lake, eventCount, ROUNDS, { anewAboveShare: 0 })
    report(eventCount, first, changed, anew)
  } finally {
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  }
}

async function after(
  lake: Lake,
  eventCount: number,
  round: number,
  options: Parameters<typeof refine>[1],
): Promise<Run> {
  const from = eventCount + round * NEW_EVENTS
  await lake.write('bronze.events', eventsSql(from, from + NEW_EVENTS, eventCount), { mode: 'append' })
  return measured(() => refine(lake, options))
}

async function measured(work: () => ReturnType<typeof refine>): Promise<Run> {
  writeFileSync('/proc/self/clear_refs', '5')
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const { tables } = await work()
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: (user + system) / 1e6,
    writtenBytes: tables.reduce((total, table) => total + table.sizeBytes, 0),
    peakMemoryBytes:
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024,
    tables,
  }
}

function report(eventCount: number, first: Run, changed: readonly Run[], anew: Run): void {
  const [middle] = [...changed].sort((a, b) => a.seconds - b.seconds).slice(Math.floor(ROUNDS / 2))
  if (middle === undefined) return
  const megabytes = (bytes: number) => bytes / 1024 / 1024
  const budget = 'a small part'
  const comparisons: Comparison[] = [
    {
      what: 'refine, by changes against anew',
      ours: middle.seconds,
      theirs: anew.seconds,
      unit: 's',
      budget,
    },
    {
      what: 'CPU',
      ours: middle.cpuSeconds,
      theirs: anew.cpuSeconds,
      unit: 's',
      budget,
    },
    {
      what: 'written',
      ours: megabytes(middle.writtenBytes),
      theirs: megabytes(anew.writtenBytes),
      unit: 'MB',
      budget,
    },
    {
      what: 'peak memory',
      ours: megabytes(middle.peakMemoryBytes),
      theirs: megabytes(anew.peakMemoryBytes),
      unit: 'MB',
      budget: '< 2,048 MB',
    },
  ]
  printComparisons(
    `lake: ${NEW_EVENTS.toLocaleString('en')} new events after ${eventCount.toLocaleString('en')}`,
    comparisons,
  )
  console.log(
    `  first refinement ${first.seconds.toFixed(1)} s (${first.cpuSeconds.toFixed(1)} s CPU), ${Math.round(megabytes(first.peakMemoryBytes))} MB at most`,
  )
  for (const { table, kind, rowCount, sizeBytes } of middle.tables)
    console.log(`  ${table.padEnd(24)} ${kind}, ${rowCount} rows, ${Math.round(sizeBytes / 1024)} kB written`)
}

/** Deterministic: places, times and choices come from hashes of the row's number. */
function eventsSql(from: number, to: number, total: number): string {
  const unit = (salt: string) => `(hash(i, '${salt}') % 1000000) / 1e6`
  const start = Date.UTC(2026, 0, 1)
  const stepMs = (DAYS * 86_400_000) / total
  return `SELECT *, (ts AT TIME ZONE 'UTC')::DATE AS event_date FROM (
    SELECT md5(CASE WHEN i % 100 = 99 THEN i - 7 ELSE i END::VARCHAR)::UUID::VARCHAR AS event_id,
      'user-' || (${SHOPPERS} * pow(${unit('u')}, 2))::INTEGER AS user_id, NULL AS session_id, NULL AS anonymous_id,
      CASE WHEN ${unit('a')} < 0.6 THEN 'view' WHEN ${unit('a')} < 0.85 THEN 'click' WHEN ${unit('a')} < 0.95 THEN 'add_to_cart' ELSE 'purchase' END AS action,
      'P' || (${PRODUCTS} * pow(${unit('p')}, 3))::INTEGER AS product_id,
      make_timestamp(((${start} + i * ${stepMs} - ${unit('l')} * 600000)::BIGINT) * 1000)::TIMESTAMPTZ AS ts,
      make_timestamp(((${start} + i * ${stepMs})::BIGINT) * 1000)::TIMESTAMPTZ AS received_at,
      round(${unit('m')} * 100, 2) AS price, 1 AS quantity, NULL AS order_id, NULL AS recommendation_id, NULL AS position, NULL AS query,
      NULL AS properties, i % 4 AS log_partition, i // 4 AS log_offset
    FROM range(${from}, ${to}) r(i))`
}

function productsSql(): string {
  return `SELECT 'P' || i AS product_id, 'Title of product ' || i AS title, NULL AS image_url, NULL AS product_url, 4 AS stars, 10 AS reviews,
      9.5 AS price, NULL AS list_price, NULL AS discount, (i % 248)::INTEGER AS category_id, 'Category ' || (i % 248) AS category,
      false AS is_best_seller, 0 AS bought_in_last_month FROM range(${PRODUCTS + 1}) r(i)`
}
