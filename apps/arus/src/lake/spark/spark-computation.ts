import type { AddFile } from '@arus/delta'
import type { DataFrame, SparkSession } from '@arus/spark-connect'
import type { SparkCompute } from '../../compute/spark-compute.ts'
import type { Computation, DerivedWriteOptions, Dialect } from '../computation.ts'
import { rowCountOf } from '../file-facts.ts'
import type { Lake, WriteResult } from '../lake-port.ts'
import type { TableName } from '../table-names.ts'
import { definitionOf } from '../tables/index.ts'

export interface SparkComputationOptions {
  readonly lake: Lake
  readonly spark: SparkCompute
  /** A table as Spark opens it. */
  readonly addressOf: (name: TableName) => string
}

const DIALECT: Dialect = {
  millis: (timestamp) => `unix_millis(${timestamp})`,
  hourStart: (timestamp) => `date_trunc('HOUR', ${timestamp})`,
  isoWeekday: (timestamp) => `weekday(${timestamp}) + 1`,
  hourOfDay: (timestamp) => `hour(${timestamp})`,
}

/** A dates-only overwrite also carries rows of dates that are new: they are appended by the same commit. */
const SETTINGS = { 'spark.databricks.delta.replaceWhere.constraintCheck.enabled': false }

/**
 * Spark: tables are read at their versions and written by its own Delta writer; kept rows are cached on its machines, which spill to their
 * disks. Nothing but names and counts comes here. Throws `ENGINE_UNREACHABLE`, `ENGINE_UNUSABLE`; a statement that fails throws
 * a `SparkError`.
 */
export async function sparkComputation(options: SparkComputationOptions): Promise<Computation> {
  const session = await options.spark.session()
  await session.conf.set(SETTINGS)
  return new SparkComputation(options, session)
}

class SparkComputation implements Computation {
  readonly dialect = DIALECT
  readonly rowsMax = Number.POSITIVE_INFINITY
  readonly #options: SparkComputationOptions
  readonly #session: SparkSession
  readonly #kept = new Set<string>()
  #viewCount = 0

  constructor(options: SparkComputationOptions, session: SparkSession) {
    this.#options = options
    this.#session = session
  }

  async rows(name: TableName, { version }: { readonly version: number }): Promise<string> {
    return this.#view(this.#at(name, version))
  }

  async rowsOf(name: TableName, version: number, files: readonly AddFile[]): Promise<string> {
    const all = this.#at(name, version)
    if (files.length === 0) return this.#view(all.filter('false'))
    const columns = definitionOf(name).columns.map((column) => column.name)
    const names = files.map(({ path }) => textLiteral(decodeURIComponent(path.split('/').at(-1) ?? '')))
    const some = all
      .selectExpr(...columns, '_metadata.file_name AS arus_file')
      .filter(`arus_file IN (${names.join(', ')})${inPartitions(name, files)}`)
    return this.#view(some.drop('arus_file'))
  }

  async keep(name: string, selects: string | readonly string[]): Promise<void> {
    const frame = await this.#union(typeof selects === 'string' ? [selects] : selects)
    if (this.#kept.has(name)) await this.#session.sql(`UNCACHE TABLE IF EXISTS ${name}`)
    await frame.createOrReplaceTempView(name)
    this.#kept.add(name)
    await this.#session.sql(`CACHE LAZY TABLE ${name}`)
  }

  async read(select: string): Promise<(string | null)[][]> {
    const rows = await (await this.#session.sql(select)).collect()
    return rows.map((row) => Object.values(row).map((value) => (value === null ? null : String(value))))
  }

  async write(
    name: TableName,
    selects: readonly string[],
    options: DerivedWriteOptions,
  ): Promise<WriteResult> {
    const { lake, addressOf } = this.#options
    const { readVersion, transactions, mode, partitions } = options
    const table = await lake.table(name)
    const before = await table.snapshot()
    // Spark's commit holds one transaction and compares with what it finds itself: what changed until now is for us to see.
    if (before.version !== readVersion)
      return { kind: 'conflict', version: before.version, rowCount: 0, sizeBytes: 0 }
    if (selects.length === 0) return lake.write(name, [], options)
    const [first, ...others] = transactions
    const columns = definitionOf(name).columns.map(
      ({ name: column, type }) => `CAST(${column} AS ${type}) AS ${column}`,
    )
    const typed = selects.map((select) => `SELECT ${columns.join(', ')} FROM (${select})`)
    await (await this.#union(typed)).write
      .format('delta')
      .mode(mode)
      .options({
        ...(first === undefined ? {} : { txnAppId: first.appId, txnVersion: first.version }),
        ...(partitions === undefined ? {} : { replaceWhere: partitions.map(conditionOf).join(' OR ') }),
      })
      .save(addressOf(name))
    const after = await table.snapshot()
    if (after.version === before.version)
      return { kind: 'skipped', version: after.version, rowCount: 0, sizeBytes: 0 }
    // A crash before this leaves sources stated as older than they are: the next refinement looks at their changes and finds none.
    if (others.length > 0) await lake.write(name, [], { mode: 'append', transactions: others })
    const files = [...after.files].filter(([key]) => !before.files.has(key)).map(([, file]) => file)
    return {
      kind: 'committed',
      version: after.version,
      rowCount: files.reduce((total, file) => total + rowCountOf(file), 0),
      sizeBytes: files.reduce((total, file) => total + file.size, 0),
    }
  }

  async close(): Promise<void> {
    for (const name of this.#kept) await this.#session.sql(`UNCACHE TABLE IF EXISTS ${name}`)
  }

  #at(name: TableName, version: number): DataFrame {
    const { addressOf } = this.#options
    return this.#session.read.format('delta').option('versionAsOf', version).load(addressOf(name))
  }

  async #view(frame: DataFrame): Promise<string> {
    const name = `arus_rows_${this.#viewCount++}`
    await frame.createOrReplaceTempView(name)
    return name
  }

  async #union(selects: readonly string[]): Promise<DataFrame> {
    const frames = await Promise.all(selects.map((select) => this.#session.sql(select)))
    return frames.reduce((all, frame) => all.union(frame))
  }
}

/** So that Spark opens no other dates. */
function inPartitions(name: TableName, files: readonly AddFile[]): string {
  const [column] = definitionOf(name).partitionColumns
  if (column === undefined) return ''
  const values = new Set(files.map(({ partitionValues }) => partitionValues[column]))
  return ` AND (${[...values].map((value) => conditionOf({ [column]: value ?? null })).join(' OR ')})`
}

function conditionOf(partition: Readonly<Record<string, string | null>>): string {
  const parts = Object.entries(partition).map(([column, value]) =>
    value === null ? `${column} IS NULL` : `${column} = ${textLiteral(value)}`,
  )
  return `(${parts.join(' AND ')})`
}

function textLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
