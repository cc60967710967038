import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataFolders, readSettings } from '../apps/arus/src/config/settings.ts'
import { readLists } from '../apps/arus/src/evaluation/files/list-file.ts'
import { openDuckDb } from '../apps/arus/src/lake/duckdb.ts'
import { openLake } from '../apps/arus/src/lake/lake.ts'
import { refine } from '../apps/arus/src/lake/refine.ts'
import { measureProcess } from './measure.ts'

const file = join(
  process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../shared/data'),
  'gowalla/train.txt.gz',
)
const main = join(import.meta.dirname, '../apps/arus/src/main.ts')
const DAYS = 90
const START_MS = Date.UTC(2026, 0, 1)

/**
 * `arus train`, as a user calls it, on a shop whose shoppers viewed what Gowalla's users visited, in that order, over 90 days: reading, search, evaluation of every
 * model, the fit on all data, sessions. The budget is one of time and memory, there is no other side.
 */
export async function benchShopTraining(): Promise<void> {
  if (!existsSync(file)) {
    console.log(`\nTraining of a shop: skipped, ${file} is not there`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-training-'))
  try {
    const interactionCount = await fillLake(folder)
    const { wallSeconds, cpuSeconds, peakMemoryBytes, output } = await measureProcess(
      process.execPath,
      [main, 'train', '--json'],
      { ARUS_DATA_DIR: folder },
    )
    const { version, metrics } = JSON.parse(output) as {
      readonly version: { readonly kind: string; readonly interaction_count: number }
      readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>
    }
    console.log(`\narus train, ${interactionCount.toLocaleString('en')} events of Gowalla`)
    console.log(
      `  ${wallSeconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU, peak ${Math.round(peakMemoryBytes / 1024 / 1024)} MB (budget: ≤ 60 s, < 2,048 MB)`,
    )
    console.log(
      `  ${version.kind}, ${version.interaction_count} interactions: ${JSON.stringify(metrics[version.kind])}`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bronze from the file, silver and gold from it; answers how many events there are. */
async function fillLake(dataFolder: string): Promise<number> {
  const folders = dataFolders(readSettings({ ARUS_DATA_DIR: dataFolder }, dataFolder))
  const { users, items } = await readLists(file)
  const csv = join(dataFolder, 'visits.csv')
  writeFileSync(csv, `u,p\n${Array.from(users, (user, n) => `${user},${items[n]}`).join('\n')}\n`)
  const duckdb = await openDuckDb({ temporaryFolder: folders.temporary, memoryBytes: 1536 * 1024 * 1024 })
  const lake = openLake({ root: folders.lake, duckdb })
  try {
    await lake.write('silver.products', productsSql(csv), { mode: 'overwrite' })
    await lake.write('bronze.events', eventsSql(csv), { mode: 'append' })
    await refine(lake)
  } finally {
    await lake.close()
    await duckdb.close()
    rmSync(csv)
  }
  return users.length
}

function productsSql(csv: string): string {
  return `SELECT 'P' || p AS product_id, 'Place ' || p AS title, NULL AS image_url, NULL AS product_url, 4 AS stars, 10 AS reviews,
      9.5 AS price, NULL AS list_price, NULL AS discount, (p % 248)::INTEGER AS category_id, 'Category ' || (p % 248) AS category,
      false AS is_best_seller, 0 AS bought_in_last_month FROM (SELECT DISTINCT p FROM read_csv('${csv}'))`
}

/** A user's places in the order of the file, at even distances, each user's a little off the others'. */
function eventsSql(csv: string): string {
  return `SELECT *, (ts AT TIME ZONE 'UTC')::DATE AS event_date, ts AS received_at FROM (
    SELECT 'visit-' || i AS event_id, 'user-' || u AS user_id, NULL AS session_id, NULL AS anonymous_id, 'view' AS action, 'P' || p AS product_id,
      make_timestamp(((${START_MS} + (place + (hash(u) % 1000) / 1e3) / visits * ${DAYS * 86_400_000})::BIGINT) * 1000)::TIMESTAMPTZ AS ts,
      NULL AS price, 1 AS quantity, NULL AS order_id, NULL AS recommendation_id, NULL AS position, NULL AS query, NULL AS properties,
      0 AS log_partition, i AS log_offset
    FROM (SELECT u, p, i, row_number() OVER (PARTITION BY u ORDER BY i) - 1 AS place, count(*) OVER (PARTITION BY u) AS visits
      FROM (SELECT u, p, row_number() OVER () - 1 AS i FROM read_csv('${csv}'))))`
}

if (import.meta.main) await benchShopTraining()
