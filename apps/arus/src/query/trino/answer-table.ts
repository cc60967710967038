import { type DuckDBAppender, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api'
import { ArusError } from '../../errors.ts'
import type { SqlFormat } from '../lake-sql.ts'
import type { SandboxSetup } from '../sandbox/protocol.ts'
import { type ComputedResult, sendResult } from '../sandbox/run-query.ts'
import { openDatabase, type SandboxDatabase } from '../sandbox/sandbox-database.ts'
import type { TrinoColumn } from './trino-client.ts'
import { type ColumnForm, columnForm } from './trino-types.ts'

export interface AnswerTableOptions {
  readonly folder: string
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly resultBytes: number
}

/** DuckDB's own size of a chunk. */
const CHUNK_ROWS = 2_048
/** Pieces that wait for whoever reads. */
const WAITING_MAX = 4

/** Rows that came from elsewhere, in a database of their own, from which they are read in any format. */
export interface AnswerTable {
  /** True once there are more than `rowLimit`; what is more is left out. */
  append(
    columns: readonly TrinoColumn[],
    rows: readonly (readonly unknown[])[],
    rowLimit: number,
  ): Promise<boolean>
  read(format: SqlFormat, rowLimit: number): Promise<{ body: AsyncIterable<Uint8Array>; rowCount: number }>
  close(): void
}

/** Opens one, empty. */
export async function openAnswerTable(options: AnswerTableOptions): Promise<AnswerTable> {
  const { folder, memoryBytes, diskBytes } = options
  const setup: SandboxSetup = { kind: 'setup', folder, memoryBytes, diskBytes, threadCount: 1 }
  return new DuckDbAnswer(await openDatabase(setup), setup, options.resultBytes)
}

class DuckDbAnswer implements AnswerTable {
  readonly #database: SandboxDatabase
  readonly #setup: SandboxSetup
  readonly #byteLimit: number
  #columns: readonly TrinoColumn[] = []
  #forms: readonly ColumnForm[] = []
  #appender: DuckDBAppender | null = null
  #rowCount = 0

  constructor(database: SandboxDatabase, setup: SandboxSetup, byteLimit: number) {
    this.#database = database
    this.#setup = setup
    this.#byteLimit = byteLimit
  }

  async append(
    columns: readonly TrinoColumn[],
    rows: readonly (readonly unknown[])[],
    rowLimit: number,
  ): Promise<boolean> {
    if (columns.length === 0) return false
    this.#appender ??= await this.#begin(columns)
    const fitting = rows.slice(0, rowLimit - this.#rowCount)
    for (let from = 0; from < fitting.length; from += CHUNK_ROWS)
      this.#appendChunk(this.#appender, fitting.slice(from, from + CHUNK_ROWS))
    this.#rowCount += fitting.length
    return fitting.length < rows.length
  }

  async read(format: SqlFormat) {
    const { connection } = this.#database
    this.#appender?.closeSync()
    const casts = this.#forms.map((form, i) => `${form.cast(`c${i}`)} AS c${i}`)
    await connection.run(`CREATE TEMP TABLE answer AS SELECT ${casts.join(', ') || '1 AS c0'} FROM texts`)
    const select = await connection.prepare('SELECT * FROM answer')
    const types = this.#forms.map((_, i) => select.columnType(i))
    select.destroySync()
    const result: ComputedResult = {
      columns: this.#columns.map(({ name, type }) => ({ name, type })),
      types,
      rowCount: this.#rowCount,
      isTruncated: false,
    }
    const pipe = new Pipe()
    const sending = sendResult(this.#database, result, { format, byteLimit: this.#byteLimit }, this.#setup, {
      head: async () => pipe.begin(),
      bytes: (bytes) => pipe.push(bytes),
    }).then(
      () => pipe.end(),
      (error: unknown) => pipe.fail(error),
    )
    // What fails before the first bytes is an answer of its own.
    await pipe.begun
    return { body: pipe.bytes(sending), rowCount: this.#rowCount }
  }

  close(): void {
    this.#database.close()
  }

  async #begin(columns: readonly TrinoColumn[]): Promise<DuckDBAppender> {
    this.#columns = columns
    this.#forms = columns.map(({ typeSignature }) => columnForm(typeSignature))
    const list = columns.map((_, i) => `c${i} VARCHAR`).join(', ')
    await this.#database.connection.run(`CREATE TEMP TABLE texts (${list})`)
    return this.#database.connection.createAppender('texts')
  }

  #appendChunk(appender: DuckDBAppender, rows: readonly (readonly unknown[])[]): void {
    const chunk = DuckDBDataChunk.create(
      this.#forms.map(() => VARCHAR),
      rows.length,
    )
    chunk.setColumns(
      this.#forms.map((form, i) =>
        rows.map((row) => (row[i] === null || row[i] === undefined ? null : form.text(row[i]))),
      ),
    )
    appender.appendDataChunk(chunk)
    chunk.reset()
  }
}

/** Bytes from one who makes them to one who takes them, a few pieces ahead. */
class Pipe {
  readonly #begun = Promise.withResolvers<void>()
  readonly begun: Promise<void> = this.#begun.promise
  readonly #waiting: Uint8Array[] = []
  #isEnded = false
  #isLeft = false
  #failure: unknown = null
  #change = Promise.withResolvers<void>()

  begin(): void {
    this.#begun.resolve()
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes)
    this.#changed()
    while (this.#waiting.length > WAITING_MAX && !this.#isLeft) await this.#change.promise
    if (this.#isLeft) throw new ArusError('CANCELLED', 'The query was cancelled')
  }

  end(): void {
    this.#isEnded = true
    this.#begun.resolve()
    this.#changed()
  }

  fail(error: unknown): void {
    this.#failure = error
    this.#begun.reject(error)
    this.end()
  }

  /**
   * `work` has ended when this has, so that nobody uses the database any more. Not a generator: one that nobody has begun to read
   * would not see that it was left.
   */
  bytes(work: Promise<void>): AsyncIterable<Uint8Array> {
    const leave = async (): Promise<IteratorReturnResult<undefined>> => {
      this.#isLeft = true
      this.#changed()
      await work
      return { done: true, value: undefined }
    }
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      while (this.#waiting.length === 0 && !this.#isEnded) await this.#change.promise
      const value = this.#waiting.shift()
      this.#changed()
      if (value !== undefined) return { done: false, value }
      await leave()
      if (this.#failure !== null) throw this.#failure
      return { done: true, value: undefined }
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: leave }) }
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers<void>()
  }
}
