import { mkdtempSync, readdirSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { concurrently } from '../../src/concurrently.ts'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, isTemporary, LocalStorage } from '../../src/index.ts'
import { seededRandom } from '../fault-plan.ts'
import { judge } from './append-loop.ts'
import { OperationProcess } from './operation-process.ts'
import { applied, contentOf, difference, type Model, type OperationName, operationAt } from './operations.ts'

/** How many kills met an operation, and how many of them are proved to have met its commit, checkpoint or removals. */
export interface OperationKills {
  readonly kills: number
  readonly proved: number
}

/** What a run of kills in operations found. */
export interface OperationKillReport {
  readonly cycles: number
  readonly acknowledged: number
  readonly byOperation: ReadonlyMap<OperationName, OperationKills>
  /** What should not be, in words; empty when all is right. */
  readonly wrong: readonly string[]
}

/** A table is looked through and replaced after so many cycles. */
const CYCLES_PER_TABLE = 20
/** Operations that are acknowledged before the one that is to be killed. */
const OPERATIONS_BEFORE_MAX = 3
/** A kill comes so long after the first file was made or removed. */
const DELAY_MS_MAX = 6

/**
 * Kills a writer with SIGKILL in the middle of one of its operations, which are chosen from the seed, and compares the
 * table with a model of those that were acknowledged; of the one that was killed, all or nothing must be there, as the log
 * says. Then the next writer goes on with the same table. Where exactly a kill hits is up to the machine.
 */
export async function runOperationKills(options: {
  readonly cycles: number
  readonly seed: number
  /** Tables at once; default 1. */
  readonly lanes?: number
  readonly onTable?: (report: OperationKillReport) => void
}): Promise<OperationKillReport> {
  const run = new Run()
  const tables = Array.from({ length: Math.ceil(options.cycles / CYCLES_PER_TABLE) }, (_, table) => ({
    cycles: Math.min(CYCLES_PER_TABLE, options.cycles - table * CYCLES_PER_TABLE),
    seed: options.seed * 1_000 + table,
  }))
  await concurrently(tables, options.lanes ?? 1, async (table) => {
    await run.killOnOneTable(table)
    options.onTable?.(run.report())
  })
  return run.report()
}

class Run {
  readonly #byOperation = new Map<OperationName, OperationKills>()
  readonly #wrong: string[] = []
  #cycles = 0
  #acknowledged = 0

  report(): OperationKillReport {
    return {
      cycles: this.#cycles,
      acknowledged: this.#acknowledged,
      byOperation: this.#byOperation,
      wrong: this.#wrong,
    }
  }

  async killOnOneTable({ cycles, seed }: { readonly cycles: number; readonly seed: number }): Promise<void> {
    const random = seededRandom(seed)
    const root = mkdtempSync(join(tmpdir(), 'arus-operation-kills-'))
    const options = { storage: new LocalStorage(root), engine: await DuckDbParquetEngine.open() }
    await DeltaTable.create(options, {
      schema: { type: 'struct', fields: [column('id', 'long'), column('value', 'long')] },
      properties: { 'delta.checkpointInterval': '4' },
    })
    let state: State = { model: new Map(), index: 0, version: 0 }
    // The next starts while the last is judged.
    let next = new OperationProcess(root, seed)
    try {
      for (let cycle = 0; cycle < cycles; cycle++) {
        const writer = next
        const target = state.index + Math.floor(random() * OPERATIONS_BEFORE_MAX)
        const didRemove = await killIn(writer, {
          root,
          seed,
          first: state.index,
          target,
          delayMs: random() * DELAY_MS_MAX,
        })
        next = new OperationProcess(root, seed)
        state = await this.#judged(writer, { seed, state, options, didRemove })
        this.#cycles += 1
      }
      await this.#lookThrough(options, `seed ${seed}`)
    } finally {
      await next.kill()
      rmSync(root, { recursive: true })
    }
  }

  /** What a killed writer left, and how the next one finds the table. */
  async #judged(
    writer: OperationProcess,
    {
      seed,
      state,
      options,
      didRemove,
    }: {
      readonly seed: number
      readonly state: State
      readonly options: Options
      readonly didRemove: boolean
    },
  ): Promise<State> {
    const root = options.storage.root
    const left = readdirSync(join(root, '_delta_log')).filter(isTemporary)
    const told = Math.max(state.version, ...writer.done.values())
    const version = newestCommit(root)
    const isUntold = version > told
    const pending = writer.done.has(writer.begun) ? null : operationAt(seed, writer.begun)
    const complain = (what: string) =>
      this.#wrong.push(`history ${seed}, operation ${writer.begun} (${pending?.name ?? 'none'}): ${what}`)
    if (writer.complaint !== '') complain(writer.complaint)
    if (version < told) complain(`version ${told} was acknowledged, the log ends at ${version}`)
    if (isUntold && (pending === null || version > told + 1)) complain(`version ${version} is nobody's`)
    const done = [...writer.done.keys(), ...(isUntold ? [writer.begun] : [])]
    const model = done.reduce((rows, index) => applied(rows, operationAt(seed, index)), state.model)
    const table = await DeltaTable.open(options)
    for (const path of temporaryFilesBelow(root)) complain(`${path} is left over`)
    if (table.known.version !== version) complain(`opened at ${table.known.version}, not at ${version}`)
    const differs = difference(await contentOf(table), model)
    if (differs !== null) complain(differs)
    this.#acknowledged += writer.done.size
    if (pending !== null) this.#count(pending.name, left.length > 0 || isUntold || didRemove)
    return { model, version, index: writer.begun + 1 }
  }

  #count(name: OperationName, isProved: boolean): void {
    const { kills, proved } = this.#byOperation.get(name) ?? { kills: 0, proved: 0 }
    this.#byOperation.set(name, { kills: kills + 1, proved: proved + (isProved ? 1 : 0) })
  }

  /** Each commit parses and none is missing; after a vacuum the folder holds the table's files and no others. */
  async #lookThrough(options: Options, history: string): Promise<void> {
    const { gaps } = await judge(options.storage, [])
    const table = await DeltaTable.open(options)
    await table.vacuum({ retentionMs: 0, isForced: true })
    const there = (await options.storage.listData()).map(({ path }) => path)
    const others = there.filter((path) => !table.known.files.has(path))
    if (gaps.length > 0) this.#wrong.push(`${history}: versions ${gaps} are missing`)
    if (others.length > 0) this.#wrong.push(`${history}: after a vacuum ${others} are there still`)
  }
}

interface Options {
  readonly storage: LocalStorage
  readonly engine: DuckDbParquetEngine
}

/** A table between two writers. */
interface State {
  readonly model: Model
  /** Of the operation that is next. */
  readonly index: number
  readonly version: number
}

/**
 * Kills a writer so long after the first temporary file of the operation `target` was seen, or the first data file that a
 * vacuum removed. True when it was in a vacuum that had removed some.
 */
async function killIn(
  writer: OperationProcess,
  {
    root,
    seed,
    first,
    target,
    delayMs,
  }: {
    readonly root: string
    readonly seed: number
    readonly first: number
    readonly target: number
    readonly delayMs: number
  },
): Promise<boolean> {
  const { promise: met, resolve } = Promise.withResolvers<void>()
  const removedBy = new Set<number>()
  const log = watch(join(root, '_delta_log'), (_, name) => {
    if (writer.begun >= target && name?.includes(`-${writer.pid}-`)) resolve()
  })
  const data = watch(root, () => {
    if (operationAt(seed, writer.begun).name !== 'vacuum') return
    removedBy.add(writer.begun)
    if (writer.begun >= target) resolve()
  })
  writer.go(first)
  await writer.until(() => writer.begun >= target)
  await Promise.race([met, writer.until(() => writer.done.has(target))])
  await sleep(delayMs)
  await writer.kill()
  log.close()
  data.close()
  return removedBy.has(writer.begun)
}

function newestCommit(root: string): number {
  const names = readdirSync(join(root, '_delta_log')).filter((name) => /^\d{20}\.json$/.test(name))
  return Math.max(...names.map((name) => Number(name.slice(0, 20))))
}

function temporaryFilesBelow(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    path.split('/').some((part) => isTemporary(part)),
  )
}
