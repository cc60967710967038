import { type AddFile, type DataFile, DeltaTable, fileKey, type Relation, type Snapshot } from '@arus/delta'
import { DuckDbParquetEngine } from '@arus/delta/duckdb'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { DuckDb } from './duckdb.ts'
import { rowCountOf } from './file-facts.ts'
import { folderPlace, type LakePlace } from './lake-place.ts'
import type { Lake, Selects, TableInfo, WriteOptions, WriteResult } from './lake-port.ts'
import { SESSION_GAP_MINUTES } from './session-gap.ts'
import { deltaSchema, type TableDefinition } from './table-definition.ts'
import { TABLE_NAMES, type TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

export type { Lake, WriteResult } from './lake-port.ts'

export interface LakeOptions {
  readonly place: LakePlace
  readonly duckdb: DuckDb
  readonly now?: () => number
  /** A stretch without an event this long ends a session that no sender named. Default 30. */
  readonly sessionGapMinutes?: number
}

export interface FolderLakeOptions extends Omit<LakeOptions, 'place'> {
  readonly root: string
}

const CONFLICT_ATTEMPTS = 20
/** What an append has read that rests on transactions only. */
const NO_ROWS = { files: [], wouldRead: () => false }
/** Commits are small and frequent here: a checkpoint every ten would write more than the data. */
const TABLE_PROPERTIES = { 'delta.checkpointInterval': '100' }

/** The lake in a local folder. */
export function openLake({ root, ...options }: FolderLakeOptions): Lake {
  return openLakeAt({ ...options, place: folderPlace(root, options.now) })
}

/** The lake wherever its place is. */
export function openLakeAt(options: LakeOptions): Lake {
  return new DeltaLake(options)
}

class DeltaLake implements Lake {
  readonly duckdb: DuckDb
  readonly sessionGapMinutes: number
  readonly #place: LakePlace
  readonly #now: () => number
  readonly #tables = new Map<TableName, Promise<DeltaTable>>()
  #logConnection: Promise<DuckDBConnection> | null = null

  constructor({ place, duckdb, now = Date.now, sessionGapMinutes = SESSION_GAP_MINUTES }: LakeOptions) {
    this.sessionGapMinutes = sessionGapMinutes
    this.#place = place
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

  async relationOfFiles(name: TableName, files: readonly AddFile[]): Promise<string> {
    const table = await this.table(name)
    const snapshot = await table.snapshot()
    const chosen = { ...snapshot, files: new Map(files.map((file) => [fileKey(file), file])) }
    return (await table.relation({ snapshot: chosen })).sql
  }

  async write(name: TableName, select: Selects, options: WriteOptions): Promise<WriteResult> {
    const table = await this.table(name)
    const connection = options.connection ?? (await this.duckdb.connect())
    try {
      const engine = new DuckDbParquetEngine(connection, options.fileOptions)
      const add: DataFile[] = []
      for await (const sql of typeof select === 'string' ? [select] : select)
        add.push(...(await table.write(sql, engine)))
      const { kind, version } = await this.#commit(name, add, options)
      if (kind !== 'committed') for (const { path } of add) await table.storage.delete(path)
      return {
        kind,
        version,
        rowCount: add.reduce((total, file) => total + file.rowCount, 0),
        sizeBytes: add.reduce((total, file) => total + file.sizeBytes, 0),
      }
    } finally {
      if (options.connection === undefined) connection.closeSync()
    }
  }

  has(name: TableName): Promise<boolean> {
    return DeltaTable.exists(this.#place.storage(name))
  }

  reopen(name: TableName): Promise<DeltaTable> {
    this.#tables.delete(name)
    return this.table(name)
  }

  async recreate(name: TableName): Promise<DeltaTable> {
    this.#tables.delete(name)
    await this.#place.remove(name)
    return this.table(name)
  }

  async describe(): Promise<TableInfo[]> {
    const infos = await Promise.all(
      TABLE_NAMES.map(async (name) => {
        if (!(await this.has(name))) return null
        return infoOf(name, await (await this.table(name)).snapshot())
      }),
    )
    return infos.filter((info) => info !== null)
  }

  async close(): Promise<void> {
    ;(await this.#logConnection)?.closeSync()
    this.#logConnection = null
  }

  async #commit(name: TableName, add: readonly DataFile[], options: WriteOptions) {
    const table = await this.table(name)
    const isOverwrite = options.mode === 'overwrite'
    for (let attempt = 0; attempt < CONFLICT_ATTEMPTS; attempt++) {
      const snapshot = await table.snapshot()
      const remove = isOverwrite ? filesToReplace(snapshot, options) : []
      if (remove === null) return { kind: 'conflict', version: snapshot.version } as const
      const { transactionsReadAt } = options
      const readVersion =
        options.readVersion ?? transactionsReadAt ?? (isOverwrite ? snapshot.version : undefined)
      const outcome = await table.commit({
        add,
        operation: options.operation ?? 'WRITE',
        operationParameters: { mode: isOverwrite ? 'Overwrite' : 'Append' },
        ...(isOverwrite ? { remove } : {}),
        ...(readVersion === undefined ? {} : { readVersion }),
        ...(transactionsReadAt === undefined ? {} : { reads: NO_ROWS }),
        ...(options.transactions === undefined ? {} : { transactions: options.transactions }),
      })
      const isGiven = options.readVersion !== undefined || transactionsReadAt !== undefined
      if (outcome.kind !== 'conflict' || isGiven) return outcome
    }
    throw new ArusError(
      'INTERNAL',
      `${name} changed ${CONFLICT_ATTEMPTS} times while it was being replaced; try again`,
    )
  }

  async #open(name: TableName): Promise<DeltaTable> {
    const options = {
      storage: this.#place.storage(name),
      engine: new DuckDbParquetEngine(await this.#connection()),
      now: this.#now,
    }
    const definition = definitionOf(name)
    if (await DeltaTable.exists(options.storage))
      return withNewColumns(await DeltaTable.open(options), definition)
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

  #connection(): Promise<DuckDBConnection> {
    this.#logConnection ??= this.duckdb.connect()
    return this.#logConnection
  }
}

/**
 * Adds the columns that the definition has and an older bronze table does not: null in the rows of before. Derived tables are
 * not touched, since a column of theirs is wanted for all rows.
 */
async function withNewColumns(table: DeltaTable, definition: TableDefinition): Promise<DeltaTable> {
  if (!definition.name.startsWith('bronze.')) return table
  for (let attempt = 1; ; attempt++) {
    const known = new Set((await table.snapshot()).schema.fields.map(({ name }) => name))
    const missing = deltaSchema(definition).fields.filter(({ name }) => !known.has(name))
    if (missing.length === 0) return table
    try {
      await table.addColumns(missing)
    } catch (error) {
      // Another process may add the same, or append meanwhile.
      if (attempt >= CONFLICT_ATTEMPTS) throw error
    }
  }
}

/** Null when one of the files that were asked for is no longer part of the table. */
function filesToReplace(
  { files }: Snapshot,
  { files: wanted, partitions }: WriteOptions,
): readonly AddFile[] | null {
  if (wanted !== undefined) return wanted.every((file) => files.has(fileKey(file))) ? wanted : null
  const all = [...files.values()]
  if (partitions === undefined) return all
  return all.filter((file) =>
    partitions.some((values) =>
      Object.entries(values).every(([name, value]) => file.partitionValues[name] === value),
    ),
  )
}

function infoOf(name: TableName, { version, files, timestampMs }: Snapshot): TableInfo {
  const all = [...files.values()]
  return {
    name,
    version,
    rowCount: all.reduce((total, file) => total + rowCountOf(file), 0),
    fileCount: files.size,
    sizeBytes: all.reduce((total, file) => total + file.size, 0),
    updatedAtMs: Math.round(timestampMs) || null,
  }
}
