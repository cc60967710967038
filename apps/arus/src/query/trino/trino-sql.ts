import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ArusError } from '../../errors.ts'
import { assertAskable } from '../assert-askable.ts'
import type { LakeSql, SqlAnswer, SqlColumn, SqlParam, SqlQuestion } from '../lake-sql.ts'
import { type AnswerTable, openAnswerTable } from './answer-table.ts'
import { Leash } from './leash.ts'
import type { TrinoColumn } from './trino-client.ts'
import { trinoFailure } from './trino-failure.ts'
import type { TrinoTables } from './trino-tables.ts'
import { literal } from './trino-values.ts'

export interface TrinoSqlOptions {
  readonly tables: TrinoTables
  /** For answers that are too large for memory, and for Parquet files. */
  readonly temporaryFolder: string
  /** Of one answer in this process, while it is made into the format asked for. */
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Bytes of one answer; a larger one is refused. */
  readonly resultBytes: number
  /** Questions asked at once; more are refused. */
  readonly concurrency: number
}

/** `LakeSql` by Trino: it computes, and the rows are made into the format asked for here. */
export function openTrinoSql(options: TrinoSqlOptions): LakeSql {
  return new TrinoSql(options)
}

class TrinoSql implements LakeSql {
  readonly #options: TrinoSqlOptions
  readonly #tables: TrinoTables
  #running = 0

  constructor(options: TrinoSqlOptions) {
    this.#options = options
    this.#tables = options.tables
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
    const [[one] = []] = await this.#tables.client.rows('SELECT 1', { timeoutMs: 5_000 })
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
    for await (const page of this.#tables.client.pages(textOf(question), leash.options())) {
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
    await this.#tables.client.rows(text, leash.options())
  }
}

function textOf({ sql, params = [] }: SqlQuestion): string {
  const values = Object.values(params)
  return values.length === 0 ? sql : immediate(sql, values)
}

function immediate(sql: string, values: readonly SqlParam[]): string {
  return `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}' USING ${values.map(literal).join(', ')}`
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
