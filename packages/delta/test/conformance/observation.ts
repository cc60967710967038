import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { DuckDbParquetEngine, sqlText } from '../../src/duckdb/index.ts'
import { DeltaError, DeltaTable, LocalStorage, type ParquetEngine, type Snapshot } from '../../src/index.ts'
import { differenceOf } from './compare-rows.ts'
import { lacksFiles, rowCountByLog } from './log-count.ts'
import type { UnpackedTable } from './unpacked-table.ts'

/** What became of reading one table. */
export type Observation = { readonly table: string } & (
  | {
      readonly kind: 'read'
      readonly version: number
      readonly rowCount: number
      readonly comparedWith: 'rows' | 'count' | 'count by the log' | 'nothing'
      /** What is wrong with the rows; null when nothing is. */
      readonly difference: string | null
      readonly readerFeatures: readonly string[]
    }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly message: string
      /** True when its rows, or their number, are known. */
      readonly mustBeRead: boolean
    }
  | { readonly kind: 'crashed'; readonly reason: string }
)

const REASON_LENGTH_MAX = 400

/** Opens a table, reads every row of its newest version and compares them with what is expected. Never throws. */
export async function observe(unpacked: UnpackedTable): Promise<Observation> {
  const table = unpacked.path
  try {
    return { table, ...(await withConnection((connection) => readTable(connection, unpacked))) }
  } catch (error) {
    if (error instanceof DeltaError) {
      const mustBeRead = unpacked.expectations.length > 0 || unpacked.rowCount !== null
      return { table, kind: 'refused', code: error.code, message: error.message, mustBeRead }
    }
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    return {
      table,
      kind: 'crashed',
      reason: `${name}: ${message.replace(/\s+/g, ' ').slice(0, REASON_LENGTH_MAX)}`,
    }
  }
}

async function withConnection<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`SET TimeZone = 'UTC'`)
    return await use(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

interface OpenTable {
  readonly connection: DuckDBConnection
  readonly table: DeltaTable
  readonly newest: Snapshot
}

async function readTable(connection: DuckDBConnection, unpacked: UnpackedTable) {
  const engine = new DuckDbParquetEngine(connection)
  const table = await DeltaTable.open({ storage: new LocalStorage(unpacked.root), engine })
  const newest = await table.snapshot()
  const rows = await readRows({ connection, table, newest }, unpacked).catch((error: unknown) => {
    const counted = countedByLog(newest, unpacked)
    if (counted === null || !(error instanceof DeltaError)) throw error
    return counted
  })
  const readerFeatures = newest.protocol.readerFeatures ?? []
  return { kind: 'read', version: newest.version, readerFeatures, ...rows } as const
}

async function readRows(opened: OpenTable, { expectations, rowCount }: UnpackedTable) {
  const { table, newest } = opened
  const { sql: relation } = await table.relation({ snapshot: newest })
  const found = await rowsIn(table.engine, relation)
  if (expectations.length === 0) {
    const comparedWith = rowCount === null ? 'nothing' : 'count'
    return { rowCount: found, comparedWith, difference: countDifference(found, rowCount) } as const
  }
  const differences: string[] = []
  for (const { version, files } of expectations) {
    const actual =
      version === null ? relation : (await table.relation({ snapshot: await table.at({ version }) })).sql
    const difference = await expectedDifference(opened, actual, files)
    if (difference !== null)
      differences.push(`${version === null ? '' : `version ${version}: `}${difference}`)
  }
  return { rowCount: found, comparedWith: 'rows', difference: differences.join('; ') || null } as const
}

/** Where the archive lacks the data files, the other reader counted by the log's statistics; so do we. */
function countedByLog(newest: Snapshot, { root, expectations, rowCount }: UnpackedTable) {
  if (expectations.length > 0 || rowCount === null || !lacksFiles(newest, root)) return null
  const counted = rowCountByLog(newest)
  if (counted === null) return null
  const difference = countDifference(counted, rowCount)
  return { rowCount: counted, comparedWith: 'count by the log', difference } as const
}

function countDifference(found: number, rowCount: number | null): string | null {
  return rowCount === null || rowCount === found
    ? null
    : `${found} rows, but another reader finds ${rowCount}`
}

/** The number of rows. The hash makes the engine decode every value, not only count. */
async function rowsIn(engine: ParquetEngine, relation: string): Promise<number> {
  const [row] = await engine.rows(`SELECT count(*) AS n, bit_xor(hash(t)) AS h FROM ${relation} AS t`)
  return Number(row?.n)
}

async function expectedDifference(
  { connection, table }: OpenTable,
  actual: string,
  files: readonly string[],
): Promise<string | null> {
  if (files.length > 0) {
    const list = `[${files.map(sqlText).join(', ')}]`
    const int96 = await connection.runAndReadAll(`FROM parquet_schema(${list}) WHERE type = 'INT96' LIMIT 1`)
    return differenceOf(connection, actual, `read_parquet(${list}, union_by_name = true)`, {
      hasInt96: int96.currentRowCount > 0,
    })
  }
  const found = await rowsIn(table.engine, actual)
  return found === 0 ? null : `${found} rows, but none are expected`
}
