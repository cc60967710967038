import { join } from 'node:path'
import { type AddFile, DeltaTable, LocalStorage, type Relation, type Snapshot } from '@arus/delta'
import { DuckDbParquetEngine } from '@arus/delta/duckdb'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { DuckDb } from './duckdb.ts'
import { deltaSchema } from './table-definition.ts'
import { TABLE_NAMES, type TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

export interface WriteOptions {
  readonly mode: 'append' | 'overwrite'
  /** With `overwrite`: only partitions with these values are replaced. */
  readonly partitions?: readonly Readonly<Record<string, string>>[]
  /** With `overwrite`: the version the SELECT was computed from. A change since then is a `conflict`; without it, it is replaced too. */
  readonly readVersion?: number
  /** A transaction applied before makes the write a no-op. */
  readonly transactions?: readonly { readonly appId: string; readonly version: number }[]
  /** The connection the SELECT runs on (for its temporary tables); it must not run anything else meanwhile. */
  readonly connection?: DuckDBConnection
}

export interface WriteResult {
  readonly kind: 'committed' | 'skipped' | 'conflict'
  readonly version: number
  readonly rowCount: number
}

/** Facts of a table that exists. */
export interface TableInfo {
  readonly name: TableName
  readonly version: number
  readonly rowCount: number
  readonly fileCount: number
  readonly sizeBytes: number
  readonly updatedAtMs: number | null
}

/** The shop's Delta tables. Several processes may have the lake open and write to it. */
export interface Lake {
  readonly duckdb: DuckDb
  /** Made from its definition when it is not there. */
  table(name: TableName): Promise<DeltaTable>
  /** FROM text of a table at its newest (or a given) version, columns typed, and the version it stands for. */
  relation(name: TableName, version?: number): Promise<Relation>
  /** Writes a SELECT's rows as one commit. Columns go by name and are cast; see `DuckDbParquetEngine.writeQuery`. */
  write(name: TableName, selectSql: string, options: WriteOptions): Promise<WriteResult>
  /** Tables that exist. */
  describe(): Promise<TableInfo[]>
  close(): Promise<void>
}

export interface LakeOptions {
  readonly root: string
  readonly duckdb: DuckDb
  readonly now?: () => number
}

const CONFLICT_ATTEMPTS = 20
/** Commits are small and frequent here: a checkpoint every ten would write more than the data. */
const TABLE_PROPERTIES = { 'delta.checkpointInterval': '100' }

/** The lake in a local folder: `bronze/events`, `silver/products`, … */
export function openLake(options: LakeOptions): Lake {
  return new FolderLake(options)
}

class FolderLake implements Lake {
  readonly duckdb: DuckDb
  readonly #root: string
  readonly #now: () => number
  readonly #tables = new Map<TableName, Promise<DeltaTable>>()
  #logConnection: Promise<DuckDBConnection> | null = null

  constructor({ root, duckdb, now = Date.now }: LakeOptions) {
    this.#root = root
    this.duckdb = duckdb
    this.#now = now
  }

  table(name: TableName): Promise<DeltaTable> {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const opening = this.#open(name)
    this.#tables.set(name, opening)
    opening.catch(() => this.#tables.delete(name))
    return opening
  }

  async relation(name: TableName, version?: number): Promise<Relation> {
    const table = await this.table(name)
    const snapshot = version === undefined ? await table.snapshot() : await table.at({ version })
    return table.relation({ snapshot })
  }

  async write(name: TableName, selectSql: string, options: WriteOptions): Promise<WriteResult> {
    const table = await this.table(name)
    const connection = options.connection ?? (await this.duckdb.connect())
    try {
      const add = await table.write(selectSql, new DuckDbParquetEngine(connection))
      const rowCount = add.reduce((total, file) => total + file.rowCount, 0)
      for (let attempt = 0; attempt < CONFLICT_ATTEMPTS; attempt++) {
        const snapshot = await table.snapshot()
        const isOverwrite = options.mode === 'overwrite'
        const outcome = await table.commit({
          add,
          operation: 'WRITE',
          operationParameters: { mode: isOverwrite ? 'Overwrite' : 'Append' },
          ...(isOverwrite
            ? {
                remove: filesToReplace(snapshot, options.partitions),
                readVersion: options.readVersion ?? snapshot.version,
              }
            : {}),
          ...(options.transactions === undefined ? {} : { transactions: options.transactions }),
        })
        if (outcome.kind !== 'conflict' || options.readVersion !== undefined)
          return { kind: outcome.kind, version: outcome.version, rowCount }
      }
      throw new ArusError(
        'INTERNAL',
        `${name} changed ${CONFLICT_ATTEMPTS} times while it was being replaced; try again`,
      )
    } finally {
      if (options.connection === undefined) connection.closeSync()
    }
  }

  async describe(): Promise<TableInfo[]> {
    const infos = await Promise.all(
      TABLE_NAMES.map(async (name) => {
        if (!(await DeltaTable.exists(this.#storage(name)))) return null
        return infoOf(name, await (await this.table(name)).snapshot())
      }),
    )
    return infos.filter((info) => info !== null)
  }

  async close(): Promise<void> {
    ;(await this.#logConnection)?.closeSync()
    this.#logConnection = null
  }

  async #open(name: TableName): Promise<DeltaTable> {
    const options = {
      storage: this.#storage(name),
      engine: new DuckDbParquetEngine(await this.#connection()),
      now: this.#now,
    }
    if (await DeltaTable.exists(options.storage)) {
      return DeltaTable.open(options)
    }
    const definition = definitionOf(name)
    const { partitionColumns, meaning } = definition
    try {
      return await DeltaTable.create(options, {
        schema: deltaSchema(definition),
        partitionColumns,
        description: meaning,
        properties: TABLE_PROPERTIES,
      })
    } catch (error) {
      // Another process made it meanwhile.
      if (await DeltaTable.exists(options.storage)) return DeltaTable.open(options)
      throw error
    }
  }

  #storage(name: TableName): LocalStorage {
    return new LocalStorage(join(this.#root, ...name.split('.')), { now: this.#now })
  }

  #connection(): Promise<DuckDBConnection> {
    this.#logConnection ??= this.duckdb.connect()
    return this.#logConnection
  }
}

function filesToReplace(snapshot: Snapshot, partitions: WriteOptions['partitions']): AddFile[] {
  const files = [...snapshot.files.values()]
  if (partitions === undefined) return files
  return files.filter((file) =>
    partitions.some((wanted) =>
      Object.entries(wanted).every(([name, value]) => file.partitionValues[name] === value),
    ),
  )
}

function infoOf(name: TableName, snapshot: Snapshot): TableInfo {
  let rowCount = 0
  let sizeBytes = 0
  for (const file of snapshot.files.values()) {
    rowCount += rowsOf(file)
    sizeBytes += file.size
  }
  const { version, files, timestampMs } = snapshot
  return {
    name,
    version,
    rowCount,
    fileCount: files.size,
    sizeBytes,
    updatedAtMs: Math.round(timestampMs) || null,
  }
}

function rowsOf(file: AddFile): number {
  const stats: unknown = file.stats ? JSON.parse(file.stats) : null
  return Number((stats as { readonly numRecords?: number } | null)?.numRecords ?? 0)
}
