import { type DuckDBAppender, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api'
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

export interface AnswerBody {
  readonly body: AsyncIterable<Uint8Array>
  readonly rowCount: number
  /** Resolves when nothing of it is at work any more, in whatever way it ended. */
  readonly ended: Promise<void>
}

/** Rows that came from elsewhere, in a database of their own, from which they are read in any format. */
export interface AnswerTable {
  /** True once there are more than `rowLimit`; what is more is left out. */
  append(
    columns: readonly TrinoColumn[],
    rows: readonly (readonly unknown[])[],
    rowLimit: number,
  ): Promise<boolean>
  /** The rows in a format, to be read once, at the reader's pace, until it is left or `signal` aborts. */
  read(format: SqlFormat, signal: AbortSignal): Promise<AnswerBody>
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

  async read(format: SqlFormat, signal: AbortSignal): Promise<AnswerBody> {
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
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const abort = () => void writer.abort(signal.reason).catch(() => {})
    signal.addEventListener('abort', abort, { once: true })
    const begun = Promise.withResolvers<void>()
    const sink = { head: async () => begun.resolve(), bytes: (bytes: Uint8Array) => writer.write(bytes) }
    const outlet = { format, byteLimit: this.#byteLimit }
    const sending = sendResult(this.#database, result, outlet, this.#setup, sink)
    // What fails before the first bytes is an answer of its own.
    sending.catch(begun.reject)
    const ended = sending
      .then(
        () => writer.close(),
        (error: unknown) => writer.abort(error),
      )
      // A reader who left has cancelled the stream: there is nobody to be told.
      .catch(() => {})
      .finally(() => signal.removeEventListener('abort', abort))
    await begun.promise
    return { body: readable, rowCount: this.#rowCount, ended }
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
