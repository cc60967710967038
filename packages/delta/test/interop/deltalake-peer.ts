import type { WorkerClient } from '../../../../engines/launcher/worker-client.ts'
import type { StructField, StructType } from '../../src/index.ts'
import type { OnceRows, PartitionChoice, Peer, TableDefinition, TableRead } from './peer.ts'
import type { Row } from './typed-rows.ts'

/** PyPI's deltalake (delta-rs). It records transactions but leaves it to the program to skip what was applied. */
export class DeltalakePeer implements Peer {
  readonly name = 'deltalake'
  readonly #worker: WorkerClient

  constructor(worker: WorkerClient) {
    this.#worker = worker
  }

  async create(path: string, { schema, partitionColumns, properties }: TableDefinition): Promise<void> {
    await this.#worker.request('create', { path, schema, partition_columns: partitionColumns, properties })
  }

  async read(path: string, version?: number): Promise<TableRead> {
    return (await this.#worker.request('read', { path, version: version ?? null })) as TableRead
  }

  /** The rows of a query of the table, which it calls `t`. */
  async query(path: string, sql: string): Promise<TableRead> {
    return (await this.#worker.request('read', { path, sql })) as TableRead
  }

  async changes(path: string, from: number, to: number): Promise<TableRead> {
    return (await this.#worker.request('changes', { path, first: from, last: to })) as TableRead
  }

  async append(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await this.#worker.request('write', { path, schema, rows, mode: 'append' })
  }

  async appendOnce(path: string, schema: StructType, { rows, appId, version }: OnceRows): Promise<void> {
    const applied = await this.#worker.request('transaction_version', { path, app_id: appId })
    if (typeof applied === 'number' && applied >= version) return
    const transaction = { app_id: appId, version }
    await this.#worker.request('write', { path, schema, rows, mode: 'append', transaction })
  }

  async overwrite(
    path: string,
    schema: StructType,
    rows: readonly Row[],
    partition?: PartitionChoice,
  ): Promise<void> {
    const predicate = partition ? `${partition.column} = '${partition.value}'` : null
    await this.#worker.request('write', { path, schema, rows, mode: 'overwrite', predicate })
  }

  async delete(path: string, where: string): Promise<void> {
    await this.#worker.request('delete', { path, predicate: where })
  }

  async update(path: string, set: Readonly<Record<string, string>>, where: string): Promise<void> {
    await this.#worker.request('update', { path, updates: set, predicate: where })
  }

  async upsert(path: string, schema: StructType, rows: readonly Row[]): Promise<void> {
    await this.#worker.request('merge', { path, schema, rows, predicate: 'target.id = source.id' })
  }

  async addColumn(path: string, field: StructField): Promise<void> {
    await this.#worker.request('add_columns', { path, schema: { type: 'struct', fields: [field] } })
  }

  async addConstraint(path: string, name: string, expression: string): Promise<void> {
    await this.#worker.request('add_constraint', { path, name, expression })
  }

  async optimize(path: string): Promise<void> {
    await this.#worker.request('optimize', { path })
  }

  async restore(path: string, version: number): Promise<void> {
    await this.#worker.request('restore', { path, version })
  }

  async vacuum(path: string): Promise<void> {
    await this.#worker.request('vacuum', { path, retention_hours: 0, is_dry_run: false })
  }

  async checkpoint(path: string): Promise<void> {
    await this.#worker.request('checkpoint', { path })
  }
}
