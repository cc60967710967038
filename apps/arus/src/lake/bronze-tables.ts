import type { Snapshot } from '@arus/delta'
import type { BronzeMapping, Decoded } from './bronze-columns.ts'
import { stageDecoded } from './bronze-routes.ts'
import type { Lake, WriteResult } from './lake.ts'
import type { TableName } from './table-names.ts'

/** Rows for a bronze table, with how far they bring it. */
export interface BronzeRows {
  readonly mapping: BronzeMapping
  readonly rows: readonly Decoded[]
  /** Positions of the log that the rows stand up to. */
  readonly transactions: readonly { readonly appId: string; readonly version: number }[]
  /** The version whose positions the rows begin at. */
  readonly readVersion: number
}

/** Bronze as the copier of the log needs it. */
export interface BronzeTables {
  snapshot(table: TableName): Promise<Snapshot>
  /**
   * Appends rows and positions as one commit. When any of these positions moved since `readVersion` nothing is written:
   * `skipped`, or `conflict` where another process came less far than these rows.
   */
  append(table: TableName, rows: BronzeRows): Promise<WriteResult['kind']>
}

export function bronzeTables(lake: Lake): BronzeTables {
  return {
    snapshot: async (table) => (await lake.table(table)).snapshot(),
    append: async (table, { mapping, rows, transactions, readVersion }) => {
      const connection = await lake.duckdb.connect()
      try {
        const select = await stageDecoded(connection, mapping, rows)
        const options = { mode: 'append', transactions, transactionsReadAt: readVersion, connection } as const
        return (await lake.write(table, select, options)).kind
      } finally {
        connection.closeSync()
      }
    },
  }
}
