import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage, type StructField, type StructType } from '../../src/index.ts'
import type { OnceRows, PartitionChoice, Peer, TableDefinition, TableRead } from './peer.ts'
import { type Row, selectOf, typedOf } from './typed-rows.ts'

/** This library. */
export class ArusPeer implements Peer {
  readonly name = 'Arus'
  readonly #connection: DuckDBConnection
  readonly #engine: DuckDbParquetEngine

  constructor(connection: DuckDBConnection) {
    this.#connection = connection
    this.#engine = new DuckDbParquetEngine(connection)
  }

  async create(path: string, { schema, partitionColumns, properties }: TableDefinition): Promise<void> {
    const options = { storage: new LocalStorage(path), engine: this.#engine }
    await DeltaTable.create(options, { schema, partitionColumns, properties })
  }

  async read(path: string, version?: number): Promise<TableRead> {
    const table = await this.open(path)
    const snapshot = version === undefined ? await table.snapshot() : await table.at({ version })
    const { sql } = await table.relation({ snapshot })
    return { schema: snapshot.schema, rows: await this.#rows(`SELECT * FROM ${sql}`, snapshot.schema) }
  }

  async changes(path: string, from: number, to: number): Promise<TableRead> {
    const table = await this.open(path)
    const { fields } = (await table.snapshot()).schema
    const schema: StructType = {
      type: 'struct',
      fields: [...fields, column('_change_type', 'string'), column('_commit_version', 'long')],
    }
    const feed = await table.changes({ from, to })
    return { schema, rows: await this.#rows(`SELECT * EXCLUDE (_commit_timestamp) FROM ${feed}`, schema) }
  }

  async #rows(sql: string, { fields }: StructType): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql)
    return reader
      .getRows()
      .map((row) =>
        Object.fromEntries(fields.map(({ name, type }, i) => [name, typedOf(row[i] ?? null, type)])),
      )
  }

  async append(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await (await this.open(path)).append(selectOf(schema, rows))
  }

  async appendOnce(path: string, schema: StructType, { rows, appId, version }: OnceRows): Promise<void> {
    await (await this.open(path)).append(selectOf(schema, rows), { transactions: [{ appId, version }] })
  }

  async overwrite(
    path: string,
    schema: StructType,
    rows: readonly Row[],
    partition?: PartitionChoice,
  ): Promise<void> {
    const where = partition === undefined ? [] : [{ ...partition, op: '=' as const }]
    await (await this.open(path)).overwrite(selectOf(schema, rows), { where })
  }

  async delete(path: string, where: string): Promise<void> {
    await (await this.open(path)).delete(where)
  }

  async update(path: string, set: Readonly<Record<string, string>>, where: string): Promise<void> {
    await (await this.open(path)).update({ set, where })
  }

  async upsert(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await (await this.open(path)).merge({
      source: selectOf(schema, rows),
      on: 'target.id = source.id',
      whenMatched: [{ update: 'all' }],
      whenNotMatched: [{ insert: 'all' }],
    })
  }

  async addColumn(path: string, field: StructField): Promise<void> {
    await (await this.open(path)).addColumns([field])
  }

  async addConstraint(path: string, name: string, expression: string): Promise<void> {
    await (await this.open(path)).addConstraint({ name, sql: expression })
  }

  async optimize(path: string): Promise<void> {
    await (await this.open(path)).optimize()
  }

  async restore(path: string, version: number): Promise<void> {
    await (await this.open(path)).restore({ version })
  }

  async vacuum(path: string): Promise<void> {
    // A moment ahead, so that files removed just now are past their retention.
    const table = await this.open(path, () => Date.now() + 1_000)
    await table.vacuum({ retentionMs: 0, isForced: true })
  }

  async checkpoint(path: string): Promise<void> {
    const table = await this.open(path)
    await table.checkpoint(await table.snapshot())
  }

  async open(path: string, now: () => number = Date.now): Promise<DeltaTable> {
    return DeltaTable.open({ storage: new LocalStorage(path), engine: this.#engine, now })
  }
}
