import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROWS_PER_COMMIT, writeCommits, writeEvents } from './delta-data.ts'
import { type DeltaCost, type DeltaRequest, DeltaSide } from './delta-sides.ts'
import { type Comparison, measureProcess, printComparisons } from './measure.ts'

/** How much each part does. */
export interface DeltaBenchOptions {
  readonly rows: number
  readonly days: number
  readonly commits: readonly number[]
  /** Rounds of each measure, the two sides taking turns to go first. */
  readonly rounds: number
  readonly smallAppends: number
  /** Parts to run; all unless given. */
  readonly only?: readonly string[]
}

export const DELTA_BENCH: DeltaBenchOptions = {
  rows: 1_000_000,
  days: 7,
  commits: [1_000, 10_000],
  rounds: 5,
  smallAppends: 60,
}

/** `f_type` of tmpfs, where a sync costs nothing (statfs(2)). */
const TMPFS_MAGIC = 0x01021994
const SMALL_ROWS = 1_000
/** Appends of the table that is scanned: as many files, and one more for each midnight. */
const SLICES = 300
/** After so many short requests V8 has compiled what runs often. */
const WARM_UPS = 8
/** Commits after the checkpoint of a table that has one. */
const COMMITS_AFTER = 5

interface Bench extends DeltaBenchOptions {
  readonly folder: string
  readonly ours: DeltaSide
  readonly theirs: DeltaSide
}

/**
 * Delta tables of `packages/delta` against PyPI's deltalake: the same rows, each side's from its own memory, in one
 * process each that stays warm. Ours syncs what it writes to the disk, theirs does not. Medians, and the lowest and highest
 * ratio of a round.
 */
export async function benchDelta(options: DeltaBenchOptions = DELTA_BENCH): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-delta-'))
  try {
    assert(
      statfsSync(folder).type !== TMPFS_MAGIC,
      `${folder} is in memory: set TMPDIR to a folder on a disk`,
    )
    await using ours = DeltaSide.ours()
    await using theirs = await DeltaSide.theirs()
    const bench: Bench = { ...options, folder, ours, theirs }
    for (const [name, run] of Object.entries(PARTS)) {
      if (options.only === undefined || options.only.includes(name)) await run(bench)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  open: benchOpen,
  append: benchAppend,
  scan: benchScan,
}

async function benchOpen(bench: Bench): Promise<void> {
  for (const commits of bench.commits) {
    const plain = join(bench.folder, `log-${commits}`)
    const withCheckpoint = `${plain}-checkpoint`
    writeCommits(plain, { first: 0, end: commits - COMMITS_AFTER })
    cpSync(plain, withCheckpoint, { recursive: true })
    await bench.theirs.ask({ operation: 'checkpoint', folder: withCheckpoint })
    for (const folder of [plain, withCheckpoint])
      writeCommits(folder, { first: commits - COMMITS_AFTER, end: commits })
    for (const folder of [plain, withCheckpoint]) {
      const isCheckpointed = folder === withCheckpoint
      const what = `${commits.toLocaleString('en')} commits, ${isCheckpointed ? 'checkpoint' : 'no checkpoint'}`
      const budget = isCheckpointed && commits === 10_000 ? '≤ 1.5, then ≤ 1.0' : 'none'
      const request = { operation: 'open', folder } as const
      const expected = commits * ROWS_PER_COMMIT
      const warm = await rounds(bench, () => request, { expected, warmUps: isCheckpointed ? WARM_UPS : 1 })
      report(`Open a table of ${what}, warm process, statistics parsed`, warm, { budget, scale: 1_000 })
      const cold = await rounds(bench, () => request, { expected, run: coldStart })
      report(`Open a table of ${what}, whole process`, cold, { budget: 'none', scale: 1_000 })
    }
  }
}

async function benchAppend(bench: Bench): Promise<void> {
  await loadRows(bench, bench.rows)
  for (const compression of ['snappy', 'zstd'] as const) {
    const requestOf = (side: DeltaSide, round: number) => {
      const folder = join(bench.folder, `${compression}-${round}-${side === bench.ours ? 'ours' : 'theirs'}`)
      return { operation: 'append', folder, compression } as const
    }
    const costs = await rounds(bench, requestOf, { expected: 'committed', run: appendToNewTable })
    report(`Append ${bench.rows.toLocaleString('en')} events, ${compression}`, costs, {
      budget: '≤ 1.2, then ≤ 1.0',
      scale: 1,
    })
  }
  await benchSmallAppends(bench)
}

/** One table each, appended to again and again. */
async function benchSmallAppends(bench: Bench): Promise<void> {
  await loadRows(bench, SMALL_ROWS)
  const tableOf = (side: DeltaSide) => join(bench.folder, side === bench.ours ? 'small-ours' : 'small-theirs')
  for (const side of [bench.ours, bench.theirs])
    await side.ask({ operation: 'create', folder: tableOf(side) })
  const costs = await rounds(
    { ...bench, rounds: bench.smallAppends },
    (side) => ({ operation: 'append', folder: tableOf(side), compression: 'zstd' }) as const,
    { expected: 'committed' },
  )
  report(`Append ${SMALL_ROWS.toLocaleString('en')} events, zstd, one commit after the other`, costs, {
    budget: 'none',
    scale: 1_000,
  })
}

/** Appends in the order of the log, so that partitions and statistics both leave files out. */
async function benchScan(bench: Bench): Promise<void> {
  await loadRows(bench, bench.rows)
  const folder = join(bench.folder, 'scan')
  await bench.ours.ask({ operation: 'create', folder })
  const count = Math.floor(bench.rows / SLICES)
  for (let i = 0; i < SLICES; i++)
    await bench.ours.ask({
      operation: 'append',
      folder,
      compression: 'snappy',
      slice: [i * count, (i + 1) * count],
    })
  const wheres = {
    'one date': [['date', '=', '2026-01-03']],
    'a fiftieth by log_offset': [
      ['log_offset', '>=', Math.floor(bench.rows * 0.5)],
      ['log_offset', '<=', Math.floor(bench.rows * 0.52)],
    ],
  } as const
  for (const [name, where] of Object.entries(wheres)) {
    for (const operation of ['scan', 'scan-datafusion'] as const) {
      const requestOf = (side: DeltaSide) =>
        ({ operation: side === bench.ours ? 'scan' : operation, folder, where }) as const
      const engine = operation === 'scan' ? 'pyarrow' : 'DataFusion'
      report(
        `Scan a table of ${SLICES} appends for ${name}, theirs by ${engine}`,
        await rounds(bench, requestOf),
        {
          budget: 'none',
          scale: 1_000,
        },
      )
    }
  }
}

async function loadRows({ folder, ours, theirs, rows, days }: Bench, rowCount: number): Promise<void> {
  const file = join(folder, 'events.parquet')
  await writeEvents(file, { rowCount: rows, days })
  for (const side of [ours, theirs])
    assert.equal((await side.ask({ operation: 'load', file, rowCount })).result, rowCount)
}

type Run = (side: DeltaSide, request: DeltaRequest) => Promise<DeltaCost>

interface Costs {
  readonly ours: readonly DeltaCost[]
  readonly theirs: readonly DeltaCost[]
}

interface RoundOptions {
  readonly expected?: unknown
  /** Rounds that do not count. */
  readonly warmUps?: number
  readonly run?: Run
}

/** Warm-ups, then rounds in which the sides take turns to go first. Every result must be the one expected, or the same. */
async function rounds(
  bench: Bench,
  requestOf: (side: DeltaSide, round: number) => DeltaRequest,
  { expected, warmUps = 1, run = (side, request) => side.ask(request) }: RoundOptions = {},
): Promise<Costs> {
  const costs = { ours: [] as DeltaCost[], theirs: [] as DeltaCost[] }
  for (let round = 0; round < warmUps + bench.rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    const results: unknown[] = []
    for (const name of order) {
      const cost = await run(bench[name], requestOf(bench[name], round))
      results.push(cost.result)
      if (round >= warmUps) costs[name].push(cost)
    }
    assert.deepEqual(results, [expected ?? results[1], expected ?? results[0]])
  }
  return costs
}

/** The same request in a process that starts for it and ends. */
async function coldStart(side: DeltaSide, request: DeltaRequest): Promise<DeltaCost> {
  const [program, ...args] = side.command
  const cost = await measureProcess(program, [...args, JSON.stringify(request)])
  return { ...cost, result: JSON.parse(cost.output).result }
}

async function appendToNewTable(side: DeltaSide, request: DeltaRequest): Promise<DeltaCost> {
  assert(request.operation === 'append')
  await side.ask({ operation: 'create', folder: request.folder })
  const cost = await side.ask(request)
  rmSync(request.folder, { recursive: true })
  return cost
}

function report(
  title: string,
  { ours, theirs }: Costs,
  { budget, scale }: { readonly budget: string; readonly scale: 1 | 1_000 },
): void {
  const unit = scale === 1 ? 's' : 'ms'
  const compare = (what: string, of: (cost: DeltaCost) => number, more: Partial<Comparison> = {}) => ({
    what,
    ours: median(ours.map(of)),
    theirs: median(theirs.map(of)),
    unit,
    budget: 'none',
    ...more,
  })
  const spreads = (['wallSeconds', 'cpuSeconds'] as const).map((key) =>
    spreadOf(ours.map((cost, i) => cost[key] / theirs[i]![key])),
  )
  const rounds = `median of ${ours.length}, ratios of a round: wall ${spreads[0]}, CPU ${spreads[1]}`
  printComparisons(`${title} (${rounds})`, [
    compare('wall', (cost) => cost.wallSeconds * scale, { budget }),
    compare('CPU', (cost) => cost.cpuSeconds * scale),
    compare('peak memory', (cost) => cost.peakMemoryBytes / 1024 / 1024, { unit: 'MB' }),
  ])
}

function spreadOf(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { rows: { type: 'string' }, commits: { type: 'string' }, rounds: { type: 'string' } },
    allowPositionals: true,
  })
  await benchDelta({
    ...DELTA_BENCH,
    ...(values.rows === undefined ? {} : { rows: Number(values.rows) }),
    ...(values.commits === undefined ? {} : { commits: values.commits.split(',').map(Number) }),
    ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
    ...(positionals.length === 0 ? {} : { only: positionals }),
  })
}
