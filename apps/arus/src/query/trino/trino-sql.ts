import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TrinoSettings } from '../../config/trino-settings.ts'
import { ArusError } from '../../errors.ts'
import type { Lake } from '../../lake/lake.ts'
import { TABLE_NAMES } from '../../lake/table-names.ts'
import { assertAskable } from '../assert-askable.ts'
import type { LakeSql, SqlAnswer, SqlColumn, SqlParam, SqlQuestion } from '../lake-sql.ts'
import { type AnswerTable, openAnswerTable } from './answer-table.ts'
import { TrinoClient, type TrinoColumn, TrinoError, type TrinoQueryOptions } from './trino-client.ts'
import { TrinoTables } from './trino-tables.ts'

export interface TrinoSqlOptions {
  readonly settings: TrinoSettings
  readonly lake: Lake
  /** For answers that are too large for memory, and for Parquet files. */
  readonly temporaryFolder: string
  /** Of one answer in this process, while it is made into the format asked for. */
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Bytes of one answer; a larger one is refused. */
  readonly resultBytes: number
  /** Questions asked at once; more are refused. */
  readonly concurrency: number
  readonly now: () => number
}

/** `LakeSql` by Trino: it computes, and the rows are made into the format asked for here. */
export function openTrinoSql(options: TrinoSqlOptions): LakeSql {
  return new TrinoSql(options)
}

class TrinoSql implements LakeSql {
  readonly #options: TrinoSqlOptions
  readonly #client: TrinoClient
  readonly #tables: TrinoTables
  #running = 0

  constructor(options: TrinoSqlOptions) {
    const { settings, lake, now } = options
    this.#options = options
    this.#client = new TrinoClient(settings)
    this.#tables = new TrinoTables({ client: this.#client, lake, catalog: settings.catalog, now })
  }

  async ask(question: SqlQuestion): Promise<SqlAnswer> {
    assertAskable(question)
    assertFitsTrino(question)
    if (this.#running >= this.#options.concurrency)
      throw new ArusError('QUERY_QUEUE_FULL', 'Too many questions are being answered; ask again in a moment')
    this.#running += 1
    const leash = new Leash(question)
    const folder = join(this.#options.temporaryFolder, `trino-${process.pid}-${randomUUID()}`)
    let table: AnswerTable | null = null
    const end = () => {
      this.#running -= 1
      leash.end()
      table?.close()
      rmSync(folder, { recursive: true, force: true })
    }
    try {
      mkdirSync(folder, { recursive: true })
      table = await openAnswerTable({ ...this.#options, folder })
      const { ended, ...answer } = await this.#answer(question, table, leash)
      void ended.then(end)
      return answer
    } catch (error) {
      end()
      throw trinoFailure(error)
    }
  }

  async isHealthy(): Promise<boolean> {
    const [[one] = []] = await this.#client.rows('SELECT 1', { timeoutMs: 5_000 })
    // The first question need not wait for all tables then; what goes wrong it is told.
    this.#tables.ensure().catch(() => {})
    return one === 1
  }

  async close(): Promise<void> {}

  async #answer(
    question: SqlQuestion,
    table: AnswerTable,
    leash: Leash,
  ): Promise<SqlAnswer & { readonly ended: Promise<void> }> {
    const { format, rowLimit } = question
    await this.#tables.ensure()
    await this.#assertSelect(question, leash)
    let columns: readonly TrinoColumn[] = []
    let isTruncated = false
    for await (const page of this.#client.pages(textOf(question), leash.options())) {
      columns = page.columns ?? columns
      isTruncated = await table.append(columns, page.rows, rowLimit)
      if (isTruncated) break
    }
    return {
      columns: columns.map(({ name, type }): SqlColumn => ({ name, type })),
      isTruncated,
      nextCursor: null,
      warnings: isTruncated
        ? ['Trino gives no cursor to further rows: narrow the question, or raise row_limit']
        : [],
      tableVersions: {},
      ...(await table.read(format, leash.signal)),
      tookMs: leash.elapsedMs(),
    }
  }

  /** A statement that is no query is none in parentheses either; one that ends them early is none without them. Of no rows: it costs nothing. */
  async #assertSelect(question: SqlQuestion, leash: Leash): Promise<void> {
    const text = textOf({ ...question, sql: `SELECT * FROM (\n${question.sql}\n) LIMIT 0` })
    await this.#client.rows(text, leash.options())
  }
}

/** Ends the work on a question at its deadline, or when the asker goes. */
export class Leash {
  readonly #startedAt = performance.now()
  readonly #stop = new AbortController()
  readonly #question: Pick<SqlQuestion, 'timeoutMs' | 'signal'>
  readonly #timer: NodeJS.Timeout
  readonly #onLeave = () => this.#stop.abort(new ArusError('CANCELLED', 'The query was cancelled'))

  constructor(question: Pick<SqlQuestion, 'timeoutMs' | 'signal'>) {
    const { timeoutMs, signal } = question
    this.#question = question
    const timeout = new ArusError(
      'QUERY_TIMEOUT',
      `The query took longer than ${timeoutMs} ms and was stopped; narrow it down by date, or allow it more time`,
    )
    this.#timer = setTimeout(() => this.#stop.abort(timeout), timeoutMs)
    signal?.addEventListener('abort', this.#onLeave, { once: true })
  }

  /** Aborts with what the asker is to be told. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Of a statement: Trino has the same deadline, for one that nobody can end from here. */
  options(): TrinoQueryOptions {
    return { timeoutMs: this.#question.timeoutMs - this.elapsedMs(), signal: this.signal }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#question.signal?.removeEventListener('abort', this.#onLeave)
  }
}

function textOf({ sql, params = [] }: SqlQuestion): string {
  const values = Object.values(params)
  return values.length === 0 ? sql : immediate(sql, values)
}

function immediate(sql: string, values: readonly SqlParam[]): string {
  return `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}' USING ${values.map(literal).join(', ')}`
}

/** A value as SQL. */
export function literal(value: SqlParam): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : `DOUBLE '${value}'`
  return `'${value.replaceAll("'", "''")}'`
}

function assertFitsTrino({ params = [], at, cursor }: SqlQuestion): void {
  if (!Array.isArray(params))
    throw new ArusError(
      'REQUEST_INVALID',
      'Trino knows values by place only: write ? in the text, and params as a list',
    )
  if (at !== undefined)
    throw new ArusError(
      'REQUEST_INVALID',
      '"at" is not for Trino: name the moment in the text, as FROM silver.events FOR VERSION AS OF 12',
    )
  if (cursor !== undefined) throw new ArusError('REQUEST_INVALID', 'There are no cursors on Trino')
}

const CODES: Readonly<Record<string, 'TABLE_UNKNOWN' | 'QUERY_TIMEOUT' | 'QUERY_QUEUE_FULL' | 'CANCELLED'>> =
  {
    TABLE_NOT_FOUND: 'TABLE_UNKNOWN',
    SCHEMA_NOT_FOUND: 'TABLE_UNKNOWN',
    EXCEEDED_TIME_LIMIT: 'QUERY_TIMEOUT',
    QUERY_QUEUE_FULL: 'QUERY_QUEUE_FULL',
    USER_CANCELED: 'CANCELLED',
  }

/** Trino's own refusals become errors of Arus. */
export function trinoFailure(error: unknown): unknown {
  if (!(error instanceof TrinoError)) return error
  const { message, errorName, errorType } = error.failure
  const isTooMuch = errorType === 'INSUFFICIENT_RESOURCES'
  const code =
    CODES[errorName] ??
    (isTooMuch ? 'QUERY_TOO_EXPENSIVE' : errorType === 'USER_ERROR' ? 'QUERY_INVALID' : 'INTERNAL')
  const hint = code === 'TABLE_UNKNOWN' ? `; there are ${TABLE_NAMES.join(', ')}` : ''
  return new ArusError(code, `${message}${hint}`, { cause: error })
}
