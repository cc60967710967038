import type { WorkerClient } from '../../../../engines/launcher/worker-client.ts'
import type { StructField, StructType } from '../../src/index.ts'
import type { OnceRows, PartitionChoice, Peer, TableDefinition, TableRead } from './peer.ts'
import type { Row } from './typed-rows.ts'

const SPARK_TYPES: Readonly<Record<string, string>> = {
  long: 'BIGINT',
  integer: 'INT',
  short: 'SMALLINT',
  byte: 'TINYINT',
}

/** Apache Spark with delta-spark. */
export class SparkPeer implements Peer {
  readonly name = 'Spark'
  readonly #worker: WorkerClient
  readonly #settings: Readonly<Record<string, string>>

  constructor(worker: WorkerClient, settings: Readonly<Record<string, string>> = {}) {
    this.#worker = worker
    this.#settings = settings
  }

  /** The same Spark with these settings for every statement. */
  with(settings: Readonly<Record<string, string>>): SparkPeer {
    return new SparkPeer(this.#worker, settings)
  }

  async create(path: string, { schema, partitionColumns, properties }: TableDefinition): Promise<void> {
    await this.#worker.request('create', { path, schema, partition_columns: partitionColumns, properties })
  }

  async read(path: string, version?: number): Promise<TableRead> {
    const at = version === undefined ? '' : ` VERSION AS OF ${version}`
    return this.sql(`SELECT * FROM delta.\`${path}\`${at}`)
  }

  async changes(path: string, from: number, to: number): Promise<TableRead> {
    return this.sql(
      `SELECT * EXCEPT (_commit_timestamp) FROM table_changes_by_path('${path}', ${from}, ${to})`,
    )
  }

  async append(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await this.#insert(`INTO delta.\`${path}\``, schema, rows)
  }

  async appendOnce(path: string, schema: StructType, { rows, appId, version }: OnceRows): Promise<void> {
    await this.#insert(`INTO delta.\`${path}\``, schema, rows, {
      'spark.databricks.delta.write.txnAppId': appId,
      'spark.databricks.delta.write.txnVersion': String(version),
    })
  }

  async overwrite(
    path: string,
    schema: StructType,
    rows: readonly Row[],
    partition?: PartitionChoice,
  ): Promise<void> {
    const where = partition && `${partition.column} = '${partition.value}'`
    const target = where ? `INTO delta.\`${path}\` REPLACE WHERE ${where}` : `OVERWRITE delta.\`${path}\``
    await this.#insert(target, schema, rows)
  }

  async delete(path: string, where: string): Promise<void> {
    await this.sql(`DELETE FROM delta.\`${path}\` WHERE ${where}`)
  }

  async update(path: string, set: Readonly<Record<string, string>>, where: string): Promise<void> {
    const assignments = Object.entries(set).map(([name, expression]) => `${name} = ${expression}`)
    await this.sql(`UPDATE delta.\`${path}\` SET ${assignments.join(', ')} WHERE ${where}`)
  }

  async upsert(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await this.sql(
      `MERGE INTO delta.\`${path}\` target USING source ON target.id = source.id
       WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
      { source: { schema, rows } },
    )
  }

  async addColumn(path: string, { name, type }: StructField): Promise<void> {
    await this.sql(
      `ALTER TABLE delta.\`${path}\` ADD COLUMNS (\`${name}\` ${SPARK_TYPES[String(type)] ?? type})`,
    )
  }

  async addConstraint(path: string, name: string, expression: string): Promise<void> {
    await this.sql(`ALTER TABLE delta.\`${path}\` ADD CONSTRAINT ${name} CHECK (${expression})`)
  }

  async optimize(path: string): Promise<void> {
    await this.sql(`OPTIMIZE delta.\`${path}\``)
  }

  async restore(path: string, version: number): Promise<void> {
    await this.sql(`RESTORE TABLE delta.\`${path}\` TO VERSION AS OF ${version}`)
  }

  async vacuum(path: string): Promise<void> {
    await this.sql(
      `VACUUM delta.\`${path}\` RETAIN 0 HOURS`,
      {},
      {
        'spark.databricks.delta.retentionDurationCheck.enabled': 'false',
      },
    )
  }

  async checkpoint(path: string): Promise<void> {
    await this.#worker.request('checkpoint', { path })
  }

  /** Runs a statement. `views` are tables of rows that it may name. */
  async sql(
    statement: string,
    views: Readonly<Record<string, TableRead>> = {},
    settings: Readonly<Record<string, string>> = {},
  ): Promise<TableRead> {
    const parameters = { statement, views, settings: { ...this.#settings, ...settings } }
    return (await this.#worker.request('sql', parameters)) as TableRead
  }

  async #insert(
    target: string,
    schema: StructType,
    rows: readonly Row[],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.sql(`INSERT ${target} SELECT * FROM source`, { source: { schema, rows } }, settings)
  }
}
