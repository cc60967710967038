import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBPreparedStatement, type DuckDBType, StatementType } from '@duckdb/node-api'
import { ArusError } from '../../errors.ts'
import type { ResultHead, RunRequest, SandboxSetup } from './protocol.ts'
import { arrowRows } from './rows/arrow-rows.ts'
import { parquetRows } from './rows/parquet-rows.ts'
import type { RowEncoder } from './rows/row-encoder.ts'
import { csvRows, jsonRows } from './rows/text-rows.ts'
import type { SandboxDatabase } from './sandbox-database.ts'

/** Where a result goes; `head` comes before the first bytes. */
export interface ResultSink {
  head(head: ResultHead): Promise<void>
  bytes(bytes: Uint8Array): Promise<void>
}

/** So much is made before the answer begins: what fails until then is an answer of its own, not a torn one. */
const HELD_BYTES = 64 * 1024

/** Prepares the one SELECT of a text on a database that is locked. Throws `QUERY_INVALID`. */
export async function prepareSelect(
  { connection }: SandboxDatabase,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql)
  const statement = statements.count === 1 ? await statements.prepare(0) : null
  if (statement?.statementType === StatementType.SELECT) return statement
  throw new ArusError('QUERY_INVALID', 'Send one SELECT: the lake is written by Arus alone')
}

/** A result that is computed to its end: its rows are in a table of the database, which spills to disk like any other. */
export interface ComputedResult extends ResultHead {
  readonly types: readonly DuckDBType[]
}

/**
 * Computes up to `rowLimit` rows. They are not streamed out of the query: an error on the way would end such a stream as
 * if it were complete (`duckdb_fetch_chunk` gives nothing in both cases, and the binding does not show the error).
 */
export async function computeResult(
  database: SandboxDatabase,
  sql: string,
  rowLimit: number,
): Promise<ComputedResult> {
  const select = await prepareSelect(database, sql)
  const places = Array.from({ length: select.columnCount }, (_, i) => i)
  const names = places.map((place) => select.columnName(place))
  const types = places.map((place) => select.columnType(place))
  select.destroySync()
  const aliases = places.map((place) => `c${place}`).join(', ')
  const created = await database.connection.run(
    `CREATE TEMP TABLE answer AS SELECT * FROM (\n${sql}\n) AS t(${aliases}) LIMIT ${rowLimit + 1}`,
  )
  const [[count] = []] = await created.getRows()
  return {
    columns: names.map((name, place) => ({ name, type: String(types[place]) })),
    types,
    rowCount: Math.min(Number(count), rowLimit),
    isTruncated: Number(count) > rowLimit,
  }
}

/** Sends a computed result on in a format, at the pace of the sink. Throws `QUERY_TOO_EXPENSIVE` past the byte limit. */
export async function sendResult(
  { connection }: SandboxDatabase,
  result: ComputedResult,
  { format, byteLimit }: Pick<RunRequest, 'format' | 'byteLimit'>,
  setup: SandboxSetup,
  sink: ResultSink,
): Promise<void> {
  const { rowCount } = result
  const names = result.columns.map(({ name }) => name)
  const namesToWrite = format === 'arrow' || format === 'parquet' ? distinct(names) : names
  const columns = result.types.map((type, place) => ({ name: namesToWrite[place] ?? '', type }))
  const outlet = new Outlet(result, byteLimit, sink)
  for await (const bytes of encoderOf(format, setup)({ connection, columns, rowCount }))
    await outlet.push(bytes)
  await outlet.finish()
}

function encoderOf(format: RunRequest['format'], setup: SandboxSetup): RowEncoder {
  switch (format) {
    case 'json':
      return jsonRows
    case 'csv':
      return csvRows
    case 'arrow':
      return arrowRows
    case 'parquet':
      mkdirSync(join(setup.folder, 'result'), { recursive: true })
      return parquetRows(setup)
  }
}

/** The same names, those that were there before with a number; DuckDB's names differ by more than case. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let i = 1; taken.has(free.toLowerCase()); i++) free = `${name}_${i}`
    taken.add(free.toLowerCase())
    return free
  })
}

/** Holds the first bytes back, then passes bytes on. */
class Outlet {
  readonly #result: ComputedResult
  readonly #byteLimit: number
  readonly #sink: ResultSink
  #byteCount = 0
  #held: Uint8Array[] | null = []

  constructor(result: ComputedResult, byteLimit: number, sink: ResultSink) {
    this.#result = result
    this.#byteLimit = byteLimit
    this.#sink = sink
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#byteCount += bytes.byteLength
    if (this.#byteCount > this.#byteLimit) {
      throw new ArusError(
        'QUERY_TOO_EXPENSIVE',
        `The answer is larger than ${this.#byteLimit} bytes; ask for fewer rows or columns at a time`,
      )
    }
    if (this.#held === null) return this.#sink.bytes(bytes)
    this.#held.push(bytes)
    if (this.#byteCount >= HELD_BYTES) await this.finish()
  }

  /** Lets go of what is held. */
  async finish(): Promise<void> {
    if (this.#held === null) return
    const held = Buffer.concat(this.#held)
    this.#held = null
    const { columns, rowCount, isTruncated } = this.#result
    await this.#sink.head({ columns, rowCount, isTruncated })
    if (held.byteLength > 0) await this.#sink.bytes(held)
  }
}
