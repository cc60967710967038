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
import { TrinoClient, type TrinoColumn, TrinoError } from './trino-client.ts'
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

const VALIDATE_MS_MAX = 30_000

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
    const folder = join(this.#options.temporaryFolder, `trino-${process.pid}-${randomUUID()}`)
    let table: AnswerTable | null = null
    let isEnded = false
    const end = () => {
      if (isEnded) return
      isEnded = true
      this.#running -= 1
      table?.close()
      rmSync(folder, { recursive: true, force: true })
    }
    try {
      mkdirSync(folder, { recursive: true })
      table = await openAnswerTable({ ...this.#options, folder })
      return await this.#answer(question, table, end)
    } catch (error) {
      end()
      throw trinoFailure(error, question)
    }
  }

  async isHealthy(): Promise<boolean> {
    const [[one] = []] = await this.#client.rows('SELECT 1', { timeoutMs: 5_000 })
    // The first question need not wait for all tables then; what goes wrong it is told.
    this.#tables.ensure().catch(() => {})
    return one === 1
  }

  async close(): Promise<void> {}

  async #answer(question: SqlQuestion, table: AnswerTable, end: () => void): Promise<SqlAnswer> {
    const { format, rowLimit, timeoutMs, signal } = question
    const startedAt = performance.now()
    const leftMs = () => Math.max(1, timeoutMs - (performance.now() - startedAt))
    await this.#tables.ensure()
    await this.#assertSelect(question, Math.min(VALIDATE_MS_MAX, leftMs()))
    let columns: readonly TrinoColumn[] = []
    let isTruncated = false
    // Trino's own deadline counts from when the query begins; this one from the call.
    const deadline = AbortSignal.timeout(Math.ceil(leftMs()))
    const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    for await (const page of this.#client.pages(textOf(question), { timeoutMs: leftMs(), signal: stop })) {
      columns = page.columns ?? columns
      isTruncated = await table.append(columns, page.rows, rowLimit)
      if (isTruncated) break
    }
    const { body, rowCount } = await table.read(format, rowLimit)
    return {
      columns: columns.map(({ name, type }): SqlColumn => ({ name, type })),
      rowCount,
      isTruncated,
      nextCursor: null,
      warnings: isTruncated
        ? ['Trino gives no cursor to further rows: narrow the question, or raise row_limit']
        : [],
      tableVersions: {},
      tookMs: performance.now() - startedAt,
      body: closing(body, end),
    }
  }

  /** A statement that is no query is none in parentheses either; one that ends them early is none without them. Of no rows: it costs nothing. */
  async #assertSelect(question: SqlQuestion, timeoutMs: number): Promise<void> {
    const { sql, signal } = question
    const text = textOf({ ...question, sql: `SELECT * FROM (\n${sql}\n) LIMIT 0` })
    await this.#client.rows(text, { timeoutMs, ...(signal === undefined ? {} : { signal }) })
  }
}

/** The body, and `end` after its last byte, or when whoever was to read it leaves. */
function closing(body: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  const bytes = body[Symbol.asyncIterator]()
  const next = async () => {
    const piece = await bytes.next().catch((error: unknown) => {
      end()
      throw error
    })
    if (piece.done) end()
    return piece
  }
  const leave = async () => {
    await bytes.return?.()
    end()
    return { done: true as const, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) }
}

function textOf({ sql, params = [] }: SqlQuestion): string {
  const values = Object.values(params)
  return values.length === 0 ? sql : immediate(sql, values)
}

function immediate(sql: string, values: readonly SqlParam[]): string {
  return `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}' USING ${values.map(literal).join(', ')}`
}

function literal(value: SqlParam): string {
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

const INVALID = 'QUERY_INVALID'
const CODES: Readonly<Record<string, 'TABLE_UNKNOWN' | 'QUERY_TIMEOUT' | 'QUERY_QUEUE_FULL' | 'CANCELLED'>> =
  {
    TABLE_NOT_FOUND: 'TABLE_UNKNOWN',
    SCHEMA_NOT_FOUND: 'TABLE_UNKNOWN',
    EXCEEDED_TIME_LIMIT: 'QUERY_TIMEOUT',
    QUERY_QUEUE_FULL: 'QUERY_QUEUE_FULL',
    USER_CANCELED: 'CANCELLED',
  }

function trinoFailure(error: unknown, { timeoutMs, signal }: SqlQuestion): unknown {
  if (signal?.aborted) return new ArusError('CANCELLED', 'The query was cancelled')
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ArusError(
      'QUERY_TIMEOUT',
      `The query took longer than ${timeoutMs} ms and was stopped; narrow it down by date, or allow it more time`,
    )
  if (!(error instanceof TrinoError)) return error
  const { message, errorName, errorType } = error.failure
  const isTooMuch = errorType === 'INSUFFICIENT_RESOURCES'
  const code =
    CODES[errorName] ??
    (isTooMuch ? 'QUERY_TOO_EXPENSIVE' : errorType === 'USER_ERROR' ? INVALID : 'INTERNAL')
  const hint = code === 'TABLE_UNKNOWN' ? `; there are ${TABLE_NAMES.join(', ')}` : ''
  return new ArusError(code, `${message}${hint}`, { cause: error })
}
