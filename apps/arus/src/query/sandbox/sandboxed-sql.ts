import { mkdirSync } from 'node:fs'
import { ArusError } from '../../errors.ts'
import type { Lake } from '../../lake/lake.ts'
import { TABLE_NAMES } from '../../lake/table-names.ts'
import { assertAskable } from '../assert-askable.ts'
import type { LakeSql, SqlAnswer, SqlQuestion } from '../lake-sql.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type PinnedTable, pinTables } from './pin-tables.ts'
import { ProcessPool } from './process-pool.ts'
import type { SqlPlan, TableUse } from './protocol.ts'
import { removeOrphans, SandboxChild } from './sandbox-child.ts'

export interface SandboxedSqlOptions {
  readonly lake: Lake
  readonly lakeRoot: string
  /** For the processes' own folders. */
  readonly temporaryFolder: string
  /** Processes kept warm, and so queries that run at once. */
  readonly processCount: number
  /** Memory of the database in each process. */
  readonly memoryBytes: number
  /** Disk each process may spill to. */
  readonly diskBytes: number
  readonly threadCount: number
  /** Bytes of one answer; a larger one is broken off. */
  readonly resultBytes: number
  /** Questions that may wait for a process, and how long. */
  readonly queueLimit: number
  readonly waitMs: number
}

/** `LakeSql` by DuckDB in processes that can be killed. Nothing is started before the first question. */
export function openSandboxedSql(options: SandboxedSqlOptions): LakeSql {
  return new SandboxedSql(options)
}

class SandboxedSql implements LakeSql {
  readonly #options: SandboxedSqlOptions
  #pool: ProcessPool | null = null

  constructor(options: SandboxedSqlOptions) {
    this.#options = options
  }

  async ask(question: SqlQuestion): Promise<SqlAnswer> {
    const startedAt = performance.now()
    assertAskable(question)
    const pool = this.#started()
    const child = await pool.acquire(question.timeoutMs, question.signal)
    const leash = new Leash(child, question, startedAt)
    try {
      return await this.#answer(question, child, leash)
    } catch (error) {
      leash.end()
      pool.release(child)
      throw readable(error, this.#options)
    }
  }

  /** Starts the processes, so that the first question need not wait for them. */
  isHealthy(): Promise<boolean> {
    return this.#started().isReady()
  }

  async close(): Promise<void> {
    await this.#pool?.close()
  }

  async #answer(question: SqlQuestion, child: SandboxChild, leash: Leash): Promise<SqlAnswer> {
    const { sql, params = [], format, rowLimit, cursor, at } = question
    child.send({ kind: 'plan', sql, params })
    const { plan: written } = await child.expect('planned')
    const plan = { ...written, tables: written.tables.map((use) => ({ ...use, at: use.at ?? momentOf(at) })) }
    const place = cursor === undefined ? null : decodeCursor(cursor, question)
    if (place !== null && place.versions.length !== plan.tables.length) {
      throw new ArusError('REQUEST_INVALID', 'The cursor does not fit the query.')
    }
    const { lake, lakeRoot, resultBytes } = this.#options
    const relations = await pinTables(plan.tables, {
      lake,
      lakeRoot,
      ...(place === null ? {} : { versions: place.versions }),
    })
    const offset = place?.offset ?? 0
    child.send({
      kind: 'run',
      relations: relations.map(relationOf),
      format,
      rowLimit,
      byteLimit: resultBytes,
      offset,
    })
    const { columns, rowCount, isTruncated } = await child.expect('head')
    const warnings = isTruncated ? pagingObstacles(plan) : []
    const versions = relations.map(({ version }) => version)
    return {
      columns,
      rowCount,
      isTruncated,
      nextCursor:
        isTruncated && warnings.length === 0
          ? encodeCursor({ versions, offset: offset + rowCount }, question)
          : null,
      warnings,
      tableVersions: versionsOf(relations),
      tookMs: leash.elapsedMs(),
      body: this.#body(child, leash),
    }
  }

  /** Passes bytes on as they are taken. Whoever leaves before the end ends the process, which has more to send. */
  async *#body(child: SandboxChild, leash: Leash): AsyncGenerator<Uint8Array> {
    let isOver = false
    try {
      while (!isOver) {
        const frame = await child.next()
        if (frame.kind === 'data') yield frame.bytes
        else isOver = frame.message.kind === 'end'
      }
    } catch (error) {
      isOver = true
      throw readable(error, this.#options)
    } finally {
      leash.end()
      if (!isOver) child.kill(new ArusError('CANCELLED', 'The query was cancelled'))
      this.#pool?.release(child)
    }
  }

  #started(): ProcessPool {
    if (this.#pool !== null) return this.#pool
    const {
      temporaryFolder: folder,
      memoryBytes,
      diskBytes,
      threadCount,
      processCount,
      queueLimit,
      waitMs,
    } = this.#options
    mkdirSync(folder, { recursive: true })
    // Only space is at stake.
    removeOrphans(folder).catch(() => {})
    this.#pool = new ProcessPool({
      size: processCount,
      queueLimit,
      waitMs,
      start: () => new SandboxChild({ folder, memoryBytes, diskBytes, threadCount }),
    })
    return this.#pool
  }
}

/** Kills the process at the deadline of the question, or when the asker goes. */
class Leash {
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void

  constructor(child: SandboxChild, { timeoutMs, signal }: SqlQuestion, startedAt: number) {
    this.#startedAt = startedAt
    const timeout = new ArusError(
      'QUERY_TIMEOUT',
      `The query took longer than ${timeoutMs} ms and was stopped; narrow it down by date, or allow it more time`,
    )
    this.#timer = setTimeout(() => child.kill(timeout), Math.max(0, timeoutMs - this.elapsedMs()))
    this.#signal = signal
    this.#onAbort = () => child.kill(new ArusError('CANCELLED', 'The query was cancelled'))
    if (signal?.aborted) this.#onAbort()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

/** A moment for all tables: a whole number is a version, anything else an instant. */
function momentOf(at: string | undefined): TableUse['at'] {
  if (at === undefined) return null
  return /^\d{1,15}$/.test(at.trim()) ? { version: Number(at) } : { timestamp: at }
}

function relationOf({ sql, files }: PinnedTable) {
  return { sql, files }
}

function versionsOf(relations: readonly PinnedTable[]): Record<string, number> {
  const versions: Record<string, number> = {}
  for (const { name, version } of relations) {
    const isAlone = relations.every((other) => other.name !== name || other.version === version)
    versions[isAlone ? name : `${name}@${version}`] = version
  }
  return versions
}

/** Why no cursor leads on, in words; empty when one can. */
function pagingObstacles({ canBePaged, unrepeatable }: SqlPlan): string[] {
  if (unrepeatable.length > 0) {
    return [
      `${unrepeatable.join(', ')} may give something else the next time, so there is no cursor to further rows`,
    ]
  }
  return canBePaged
    ? []
    : ['There is no cursor to further rows: it takes an ORDER BY, and a LIMIT of plain numbers if any']
}

/** Says failures without paths of this machine, and an unknown table with the known ones. */
function readable(error: unknown, { lakeRoot, temporaryFolder }: SandboxedSqlOptions): unknown {
  if (!(error instanceof ArusError)) return error
  const hint =
    error.code === 'TABLE_UNKNOWN' && !error.message.includes('there are')
      ? `; there are ${TABLE_NAMES.join(', ')}`
      : ''
  const message = `${error.message}${hint}`.replaceAll(lakeRoot, 'lake').replaceAll(temporaryFolder, 'tmp')
  return new ArusError(error.code, message, { cause: error, details: error.details })
}
