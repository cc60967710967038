import type { Computation, Dialect } from './computation.ts'
import type { Lake } from './lake-port.ts'

const ROWS_MAX = 2_000_000

const DIALECT: Dialect = {
  millis: (timestamp) => `epoch_ms(${timestamp})`,
  hourStart: (timestamp) =>
    `CAST(time_bucket(INTERVAL 1 HOUR, CAST(${timestamp} AS TIMESTAMP)) AS TIMESTAMPTZ)`,
  isoWeekday: (timestamp) => `isodow(CAST(${timestamp} AS TIMESTAMP))`,
  hourOfDay: (timestamp) => `hour(CAST(${timestamp} AS TIMESTAMP))`,
}

/** DuckDB in this process: kept rows are temporary tables of a connection, which spill to disk beyond DuckDB's limit. */
export async function duckdbComputation(lake: Lake): Promise<Computation> {
  const connection = await lake.duckdb.connect()
  return {
    dialect: DIALECT,
    rowsMax: ROWS_MAX,
    rows: (name, { files }) => lake.relationOfFiles(name, [...files.values()]),
    rowsOf: (name, _version, files) => lake.relationOfFiles(name, files),
    async keep(name, selects) {
      const [first, ...rest] = typeof selects === 'string' ? [selects] : selects
      await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${first}`)
      for (const select of rest) await connection.run(`INSERT INTO ${name} ${select}`)
    },
    async read(select) {
      const found = await connection.runAndReadAll(select)
      return found.getRows().map((row) => row.map((value) => (value === null ? null : String(value))))
    },
    write: (name, selects, options) => lake.write(name, selects, { ...options, connection }),
    async close() {
      connection.closeSync()
    },
  }
}
