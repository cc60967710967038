import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from '../lake/lake.ts'
import type { TableName } from '../lake/table-names.ts'

/** A lake for tests of what writes to it: each version of a table is one Parquet file, columns as the SELECT gives them. */
export async function openParquetLake(root: string): Promise<Lake> {
  mkdirSync(root, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', threads: '2' })
  const versions = new Map<TableName, number>()
  const fileOf = (name: TableName, version: number) => join(root, `${name}.${version}.parquet`)
  return {
    duckdb: { connect: () => instance.connect(), close: async () => instance.closeSync() },
    table: async (name) => {
      throw new ArusError('TABLE_UNKNOWN', `${name}: this lake has no Delta tables`)
    },
    relation: async (name, version = versions.get(name) ?? 0) => ({
      sql: `read_parquet('${fileOf(name, version)}')`,
      version,
    }),
    write: async (name, selectSql, options) => {
      const connection = options.connection ?? (await instance.connect())
      const version = (versions.get(name) ?? -1) + 1
      const result = await connection.run(
        `COPY (${selectSql}) TO '${fileOf(name, version)}' (FORMAT parquet)`,
      )
      versions.set(name, version)
      return { version, rowCount: result.rowsChanged, kind: 'committed' }
    },
    describe: async () => [],
    close: async () => {},
  }
}
