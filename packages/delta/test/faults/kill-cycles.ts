import { mkdtempSync, readdirSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, isTemporary, LocalStorage } from '../../src/index.ts'
import { seededRandom } from '../fault-plan.ts'
import { type AppendRecord, createLogTable, judge, openLogTable, type Verdict } from './append-loop.ts'
import { WriterProcess } from './writer-process.ts'

/** What a run of kills found. */
export interface KillReport {
  readonly kills: number
  /** Kills that left the temporary file of a commit, or a commit that nobody was told of. */
  readonly provedKills: number
  readonly acknowledged: number
  readonly verdicts: readonly Verdict[]
  /** Temporary files that were still there after the table had been opened. */
  readonly leftOvers: readonly string[]
}

const WRITERS = 2
const LANES = 2
/** A table is judged and replaced after so many rounds: judging reads its whole log. */
const ROUNDS_PER_TABLE = 12
/** A kill comes so long after a commit's temporary file was seen, which may be one of the writer's first few. */
const DELAY_MS_MAX = 6
const COMMITS_BEFORE_MAX = 4

/**
 * Starts writers, kills them with SIGKILL in the middle of their appends, and looks at what is left, until enough kills
 * are proved to have hit a commit. Every sixth table is of Parquet with checkpoints.
 */
export async function runKillCycles(options: {
  readonly provedKillsMin: number
  readonly seed: number
  readonly onTable?: (report: KillReport) => void
}): Promise<KillReport> {
  const random = seededRandom(options.seed)
  let report: KillReport = { kills: 0, provedKills: 0, acknowledged: 0, verdicts: [], leftOvers: [] }
  for (let table = 0; report.provedKills < options.provedKillsMin; table++) {
    const found = await killOnOneTable(table % 6 === 1 ? 'parquet' : 'log', random)
    report = {
      kills: report.kills + found.kills,
      provedKills: report.provedKills + found.provedKills,
      acknowledged: report.acknowledged + found.acknowledged,
      verdicts: [...report.verdicts, ...found.verdicts],
      leftOvers: [...report.leftOvers, ...found.leftOvers],
    }
    options.onTable?.(report)
  }
  return report
}

async function killOnOneTable(kind: 'log' | 'parquet', random: () => number): Promise<KillReport> {
  const root = mkdtempSync(join(tmpdir(), 'arus-kills-'))
  const storage = new LocalStorage(root)
  const open = await tableOpener(kind, storage)
  const records: AppendRecord[] = []
  const leftOvers: string[] = []
  let provedKills = 0
  try {
    for (let round = 0; round < ROUNDS_PER_TABLE; round++) {
      const writers = Array.from(
        { length: WRITERS },
        (_, i) => new WriterProcess({ root, name: `${round}.${i}`, count: 10_000, kind, lanes: LANES }),
      )
      await Promise.all(writers.map((writer) => killInCommit(writer, join(root, '_delta_log'), random)))
      const told = writers.flatMap((writer) => writer.records)
      records.push(...told)
      provedKills += await countProved(storage, writers)
      await open()
      leftOvers.push(...temporaryFilesBelow(root))
    }
    const verdict = await judge(storage, records)
    return {
      kills: ROUNDS_PER_TABLE * WRITERS,
      provedKills,
      acknowledged: records.length,
      verdicts: [verdict],
      leftOvers,
    }
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Makes the table and gives what opens it. */
async function tableOpener(
  kind: 'log' | 'parquet',
  storage: LocalStorage,
): Promise<() => Promise<DeltaTable>> {
  if (kind === 'log') {
    await createLogTable(storage)
    return () => openLogTable(storage)
  }
  const engine = await DuckDbParquetEngine.open()
  await DeltaTable.create({ storage, engine }, { schema: { type: 'struct', fields: [column('n', 'long')] } })
  return () => DeltaTable.open({ storage, engine })
}

/** Kills a writer at a random moment after it has begun one of its first commits. */
async function killInCommit(writer: WriterProcess, logFolder: string, random: () => number): Promise<void> {
  const commits = 1 + Math.floor(random() * COMMITS_BEFORE_MAX)
  await untilTemporaryFiles(writer, logFolder, commits)
  await sleep(random() * DELAY_MS_MAX)
  await writer.kill()
}

async function untilTemporaryFiles(writer: WriterProcess, folder: string, count: number): Promise<void> {
  const seen = new Set<string>()
  const { promise, resolve } = Promise.withResolvers<void>()
  const watcher = watch(folder, (_, name) => {
    if (name?.includes(`-${writer.pid}-`)) seen.add(name)
    if (seen.size >= count) resolve()
  })
  await Promise.race([promise, writer.ended()])
  watcher.close()
}

async function countProved(storage: LocalStorage, writers: readonly WriterProcess[]): Promise<number> {
  const left = readdirSync(join(storage.root, '_delta_log')).filter(isTemporary)
  const { ids } = await judge(storage, [])
  return writers.filter((writer) => {
    const told = new Set(writer.records.map((record) => record.id))
    const isCommitUntold = [...ids].some((id) => id.startsWith(`${writer.name}-`) && !told.has(id))
    return isCommitUntold || left.some((name) => name.includes(`-${writer.pid}-`))
  }).length
}

function temporaryFilesBelow(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    path.split('/').some((part) => isTemporary(part)),
  )
}
