import { DeltaTable, type ParquetEngine, type TableOptions } from '@arus/delta'
import type { BronzeRows, BronzeTables } from '../../src/lake/bronze-tables.ts'
import type { TableName } from '../../src/lake/table-names.ts'
import type { Io } from './io.ts'
import { MemoryStorage, type StorageContent } from './memory-storage.ts'
import type { Sabotage } from './plan.ts'

/** A row of bronze, as far as a simulation looks at it: where in the log it stood. */
export interface PlacedRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Files of each table. */
export type LakeContent = Map<TableName, StorageContent>

const SCHEMA = { type: 'struct', fields: [] } as const
/** Data files are JSON here; no checkpoint is due before the hundredth commit. */
const NO_ENGINE = new Proxy({} as ParquetEngine, {
  get: (_, name) => () => {
    throw new TypeError(`a simulation has no Parquet engine, asked for ${String(name)}`)
  },
})
let fileCount = 0

/** Bronze in memory: Delta's own log, commits and conflicts over rows that are JSON. */
export class BronzeInMemory implements BronzeTables {
  readonly #content: LakeContent
  readonly #io: Io
  readonly #now: () => number
  readonly #sabotage: Sabotage | null
  readonly #tables = new Map<TableName, Promise<DeltaTable>>()

  constructor(
    content: LakeContent,
    { io, now, sabotage }: { io: Io; now: () => number; sabotage: Sabotage | null },
  ) {
    this.#content = content
    this.#io = io
    this.#now = now
    this.#sabotage = sabotage
  }

  async snapshot(name: TableName) {
    return (await this.#table(name)).snapshot()
  }

  async append(name: TableName, { rows, transactions, readVersion }: BronzeRows) {
    const table = await this.#table(name)
    const path = `part-${fileCount++}.parquet`
    const placed = rows.map(({ topic, partition, offset }): PlacedRow => ({ topic, partition, offset }))
    const bytes = Buffer.from(JSON.stringify(placed))
    await table.storage.put(path, bytes)
    const file = { path, sizeBytes: bytes.length, rowCount: rows.length, partitionValues: {}, stats: '{}' }
    const read =
      this.#sabotage === 'blind append' ? {} : { readVersion, reads: { files: [], wouldRead: () => false } }
    if (this.#sabotage === 'rows before position') {
      await table.commit({ add: [file], operation: 'WRITE' })
      return (await table.commit({ add: [], transactions, operation: 'WRITE' })).kind
    }
    const { kind } = await table.commit({ add: [file], transactions, ...read, operation: 'WRITE' })
    if (kind !== 'committed') await table.storage.delete(path)
    return kind
  }

  /** Every row of a table's newest version. */
  async rows(name: TableName): Promise<PlacedRow[]> {
    const { files } = await this.snapshot(name)
    const all: PlacedRow[] = []
    for (const { path } of files.values())
      all.push(...JSON.parse(Buffer.from(this.#content.get(name)!.get(path)!).toString()))
    return all
  }

  #table(name: TableName): Promise<DeltaTable> {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const opening = this.#open(name)
    this.#tables.set(name, opening)
    opening.catch(() => this.#tables.delete(name))
    return opening
  }

  async #open(name: TableName): Promise<DeltaTable> {
    const files = this.#content.get(name) ?? new Map()
    this.#content.set(name, files)
    const options: TableOptions = {
      storage: new MemoryStorage(files, this.#io),
      engine: NO_ENGINE,
      now: this.#now,
    }
    if (await DeltaTable.exists(options.storage)) return DeltaTable.open(options)
    try {
      return await DeltaTable.create(options, {
        schema: SCHEMA,
        properties: { 'delta.checkpointInterval': '100' },
      })
    } catch (error) {
      if (await DeltaTable.exists(options.storage)) return DeltaTable.open(options)
      throw error
    }
  }
}
