import type { AddFile } from '@arus/delta'
import { goldSql } from './gold-sql.ts'
import type { Lake } from './lake.ts'
import { maintain } from './maintain.ts'
import { silverEventsSql, silverInteractionsSql, withNeighbours } from './silver-sql.ts'

/** Application whose `txn` in `silver.events` says which version of `bronze.events` silver stands for. */
const APP_ID = 'arus-refine'
const MAINTENANCE_INTERVAL_MS = 600_000

/** What a refinement did. */
export interface RefineResult {
  /** Version of `bronze.events` that silver now stands for. */
  readonly bronzeVersion: number
  /** UTC dates of silver that were computed again. */
  readonly dates: readonly string[]
}

/**
 * Brings silver and gold up to bronze: computes the dates again that bronze changed since the last time, and their
 * neighbours, and replaces just those partitions. Idempotent: the version of bronze it stands for is committed together
 * with `silver.events`, last, so that a crash on the way means it is done again.
 */
export async function refine(lake: Lake): Promise<RefineResult> {
  const bronze = await (await lake.table('bronze.events')).snapshot()
  const silver = await (await lake.table('silver.events')).snapshot()
  const done = silver.transactions.get(APP_ID)?.version ?? -1
  if (done >= bronze.version) return { bronzeVersion: done, dates: [] }
  const dates = withNeighbours(await changedDates(lake, bronze.files, done)).filter(
    (date) => holds(bronze.files, date) || holds(silver.files, date),
  )
  if (dates.length > 0) await refineDates(lake, dates)
  await commitProgress(lake, bronze.version)
  if (dates.length > 0) await refineGold(lake)
  return { bronzeVersion: bronze.version, dates }
}

/** Recomputes every gold table from silver as it stands. */
export async function refineGold(lake: Lake): Promise<void> {
  const events = await lake.relation('silver.events')
  const products = await lake.relation('silver.products')
  for (const [name, sql] of goldSql(events.sql, products.sql))
    await lake.write(name, sql, { mode: 'overwrite' })
}

async function refineDates(lake: Lake, dates: readonly string[]): Promise<void> {
  const partitions = dates.map((event_date) => ({ event_date }))
  const bronze = (await lake.relation('bronze.events')).sql
  const products = (await lake.relation('silver.products')).sql
  const connection = await lake.duckdb.connect()
  try {
    // Computed once, for both tables.
    await connection.run(`CREATE TEMP TABLE refined AS ${silverEventsSql({ bronze, products, dates })}`)
    await lake.write('silver.interactions', silverInteractionsSql('refined', dates), {
      mode: 'overwrite',
      partitions,
      connection,
    })
    await lake.write('silver.events', 'SELECT * FROM refined', { mode: 'overwrite', partitions, connection })
  } finally {
    connection.closeSync()
  }
}

/** Only now does silver stand for that version of bronze. */
async function commitProgress(lake: Lake, bronzeVersion: number): Promise<void> {
  const table = await lake.table('silver.events')
  await table.commit({
    add: [],
    operation: 'REFINE',
    transactions: [{ appId: APP_ID, version: bronzeVersion }],
  })
}

/** Dates of files that bronze gained or lost since a version; all of them when that version is not known any more. */
async function changedDates(
  lake: Lake,
  files: ReadonlyMap<string, AddFile>,
  since: number,
): Promise<string[]> {
  const before =
    since < 0
      ? new Map<string, AddFile>()
      : await (await lake.table('bronze.events')).at({ version: since }).then(
          (snapshot) => snapshot.files,
          () => new Map<string, AddFile>(),
        )
  const changed = [
    ...[...files.values()].filter((file) => !before.has(file.path)),
    ...[...before.values()].filter((file) => !files.has(file.path)),
  ]
  return [...new Set(changed.map((file) => file.partitionValues.event_date ?? ''))].filter(
    (date) => date !== '',
  )
}

function holds(files: ReadonlyMap<string, AddFile>, date: string): boolean {
  return [...files.values()].some((file) => file.partitionValues.event_date === date)
}

export interface RefinerOptions {
  readonly lake: Lake
  /** Least time between two refinements. Default 5,000; a long one waits twice as long as it took. */
  readonly intervalMs?: number
  readonly onFault?: (error: unknown) => void
  readonly now?: () => number
}

/** Keeps silver and gold up to bronze until stopped. */
export interface Refiner {
  /** Resolves when silver and gold stand for bronze as it was at the call, or later. */
  refineNow(): Promise<RefineResult>
  stop(): Promise<void>
}

export function startRefiner(options: RefinerOptions): Refiner {
  return new PeriodicRefiner(options)
}

class PeriodicRefiner implements Refiner {
  readonly #options: RefinerOptions
  readonly #intervalMs: number
  readonly #now: () => number
  #timer: NodeJS.Timeout
  #running: Promise<RefineResult> | null = null
  #maintainedAtMs: number
  #isStopped = false

  constructor(options: RefinerOptions) {
    this.#options = options
    this.#intervalMs = options.intervalMs ?? 5_000
    this.#now = options.now ?? Date.now
    this.#maintainedAtMs = this.#now()
    this.#timer = setTimeout(() => void this.#tick(), this.#intervalMs)
  }

  async refineNow(): Promise<RefineResult> {
    await this.#running?.catch(() => {})
    this.#running ??= this.#refine().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running?.catch(() => {})
  }

  async #tick(): Promise<void> {
    const startedAtMs = this.#now()
    await this.refineNow().catch((error: unknown) => this.#options.onFault?.(error))
    if (this.#isStopped) return
    const waitMs = Math.max(this.#intervalMs, 2 * (this.#now() - startedAtMs))
    this.#timer = setTimeout(() => void this.#tick(), waitMs)
  }

  async #refine(): Promise<RefineResult> {
    const result = await refine(this.#options.lake)
    if (this.#now() - this.#maintainedAtMs > MAINTENANCE_INTERVAL_MS) {
      this.#maintainedAtMs = this.#now()
      await maintain(this.#options.lake)
    }
    return result
  }
}
