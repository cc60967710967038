/**
 * Our side of `bench/delta.ts`, in a process of its own so that its memory and CPU time are its own. Requests and answers
 * are JSON lines; with an argument it answers that one and ends. `peers/delta_deltalake.py` does the same work.
 */

import { createInterface } from 'node:readline'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { DuckDbParquetEngine } from '../packages/delta/src/duckdb/index.ts'
import { DeltaTable, type Filter, LocalStorage } from '../packages/delta/src/index.ts'
import { parseStatistics } from '../packages/delta/src/statistics.ts'
import type { DeltaRequest } from './delta-sides.ts'

type Operation = Exclude<DeltaRequest['operation'], 'scan-datafusion'>
type RequestOf<O> = O extends 'scan' ? ScanRequest : Extract<DeltaRequest, { operation: O }>
type ScanRequest = Extract<DeltaRequest, { where: unknown }>

const tables = new Map<string, DeltaTable>()
const connection = await connect()

const operations: { [O in Operation]: (request: RequestOf<O>) => Promise<unknown> } = {
  load: async ({ file, rowCount }) => {
    await connection.run(`CREATE OR REPLACE TABLE events AS FROM read_parquet('${file}') LIMIT ${rowCount}`)
    return Number((await connection.runAndReadAll('SELECT count(*) FROM events')).getRows()[0]?.[0])
  },
  create: async ({ folder }) => {
    const engine = engineOf('zstd')
    const schema = { type: 'struct' as const, fields: await engine.columns('FROM events') }
    const properties = { 'delta.checkpointInterval': '100' }
    await DeltaTable.create(optionsOf(folder, engine), { schema, partitionColumns: ['date'], properties })
    return 0
  },
  append: async ({ folder, compression, slice }) => {
    const table = await kept(folder, compression)
    const where = slice ? ` WHERE rowid >= ${slice[0]} AND rowid < ${slice[1]}` : ''
    return (await table.append(`SELECT * FROM events${where}`)).kind
  },
  /** A new table object, and every statistic as values. Neither side looks for newer commits once it is open. */
  open: async ({ folder }) => {
    const table = await DeltaTable.open(optionsOf(folder, engineOf('zstd')))
    let rowCount = 0
    for (const file of table.known.files.values()) rowCount += parseStatistics(file).numRecords ?? 0
    return rowCount
  },
  checkpoint: async ({ folder }) => {
    const table = await DeltaTable.open(optionsOf(folder, engineOf('zstd')))
    await table.checkpoint(await table.snapshot())
    return 0
  },
  scan: async ({ folder, where }) => {
    const table = await kept(folder, 'zstd')
    const filters = where.map(([column, op, value]): Filter => ({ column, op, value }))
    const test = where.map(([column, op, value]) => `${column} ${op} '${value}'`).join(' AND ')
    const sql = `SELECT count(*) AS n, sum(quantity) AS q FROM {table} WHERE ${test}`
    const [row] = await table.rows(sql, { where: filters })
    return [Number(row?.n), Number(row?.q)]
  },
}

async function connect(): Promise<DuckDBConnection> {
  const found = await (await DuckDBInstance.create(':memory:')).connect()
  await found.run("SET TimeZone = 'UTC'")
  return found
}

function engineOf(compression: 'zstd' | 'snappy'): DuckDbParquetEngine {
  return new DuckDbParquetEngine(connection, { compression })
}

function optionsOf(folder: string, engine: DuckDbParquetEngine) {
  return { storage: new LocalStorage(folder), engine }
}

/** The table, opened the first time it is asked for. */
async function kept(folder: string, compression: 'zstd' | 'snappy'): Promise<DeltaTable> {
  const known = tables.get(folder)
  if (known) return known
  const table = await DeltaTable.open(optionsOf(folder, engineOf(compression)))
  tables.set(folder, table)
  return table
}

async function answer(line: string): Promise<void> {
  const request = JSON.parse(line) as DeltaRequest
  const operation = operations[request.operation as Operation] as (request: DeltaRequest) => Promise<unknown>
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const result = await operation(request)
  const wallSeconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify({ result, wallSeconds, cpuSeconds: (user + system) / 1e6 }))
}

const [only] = process.argv.slice(2)
if (only !== undefined) await answer(only)
else for await (const line of createInterface({ input: process.stdin })) await answer(line)
