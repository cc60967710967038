import type { AddFile, DataType, Snapshot } from '@arus/delta'
import type {
  QualityReport,
  TableDetail,
  TableFiles,
  TableHistory,
  TableSummary,
} from '../api-schema/lake.ts'
import { ArusError } from '../errors.ts'
import type { Lake } from './lake.ts'
import { tableHealth } from './table-health.ts'
import type { TableName } from './table-names.ts'
import { definitionOf, TABLES, tableName } from './tables/index.ts'

/** What can be seen of the lake's tables. Names that are no table throw `TABLE_UNKNOWN`. */
export interface TablePages {
  list(): Promise<TableSummary[]>
  detail(name: string): Promise<TableDetail>
  /** Versions below `before`, newest first. */
  history(
    name: string,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<TableHistory['versions']>
  /** Files by path, of the newest or of a given version. */
  files(
    name: string,
    page: { readonly limit: number; readonly offset: number; readonly version?: number },
  ): Promise<Omit<TableFiles, 'next_cursor'>>
}

export interface TablePagesOptions {
  readonly lake: Lake
  /** Newest results of a table's checks; null where there are none to ask for. */
  readonly quality: (name: TableName) => Promise<QualityReport[] | null>
  readonly now: () => number
}

export function openTablePages({ lake, quality, now }: TablePagesOptions): TablePages {
  const newest = async (name: TableName) => {
    const table = await lake.table(name)
    return { table, snapshot: await table.snapshot() }
  }
  return {
    async list() {
      const written = new Map((await lake.describe()).map((info) => [info.name, info]))
      return Promise.all(
        TABLES.map(async ({ name, meaning }) => {
          if (!written.has(name)) return { name, meaning, ...NOTHING }
          const { table, snapshot } = await newest(name)
          return { name, meaning, ...factsOf(snapshot), health: await tableHealth(table, snapshot, now()) }
        }),
      )
    },
    async detail(text) {
      const name = tableName(text)
      const { table, snapshot } = await newest(name)
      const results = await quality(name)
      const health = await tableHealth(table, snapshot, now())
      const failing = (results ?? []).filter((each) => each.severity === 'error' && each.failing_rows > 0)
      const reasons = [
        ...health.reasons,
        ...failing.map(({ check, failing_rows }) => `${failing_rows} rows fail the check "${check}"`),
      ]
      return {
        name,
        meaning: definitionOf(name).meaning,
        ...factsOf(snapshot),
        ...schemaOf(name, snapshot),
        health: { ...health, reasons, status: reasons.length === 0 ? 'ok' : 'attention' },
        quality: results,
      }
    },
    async history(text, { limit, before }) {
      const table = await lake.table(tableName(text))
      const entries = await table.history(limit, before)
      return entries.map(({ version, timestampMs, operation }) => ({
        version,
        at: Math.round(timestampMs),
        operation,
      }))
    },
    async files(text, { limit, offset, version }) {
      const name = tableName(text)
      const { table, snapshot } = await newest(name)
      const asked =
        version === undefined || version === snapshot.version
          ? snapshot
          : await table.at({ version }).catch((error: unknown) => {
              throw new ArusError(
                'TABLE_VERSION_UNKNOWN',
                `${name}: version ${version} is not kept any more`,
                {
                  cause: error,
                },
              )
            })
      const files = [...asked.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
      return {
        version: asked.version,
        total: files.length,
        files: files.slice(offset, offset + limit).map(fileOf),
      }
    },
  }
}

const NOTHING = { version: null, rows: 0, files: 0, size_bytes: 0, updated_at: null, health: null }

function factsOf({ version, timestampMs, files }: Snapshot) {
  const all = [...files.values()]
  return {
    version,
    rows: all.reduce((sum, file) => sum + (statsOf(file)?.numRecords ?? 0), 0),
    files: all.length,
    size_bytes: all.reduce((sum, { size }) => sum + size, 0),
    updated_at: Math.round(timestampMs) || null,
  }
}

function schemaOf(name: TableName, { schema, metadata, partitionColumns, protocol }: Snapshot) {
  const defined = new Map(definitionOf(name).columns.map((column) => [column.name, column]))
  return {
    columns: schema.fields.map((field) => {
      const column = defined.get(field.name)
      return {
        name: field.name,
        type: typeText(field.type),
        nullable: field.nullable,
        unit: column?.unit ?? null,
        meaning: column?.meaning ?? null,
      }
    }),
    partition_columns: [...partitionColumns],
    properties: { ...metadata.configuration },
    protocol: {
      min_reader_version: protocol.minReaderVersion,
      min_writer_version: protocol.minWriterVersion,
      reader_features: [...(protocol.readerFeatures ?? [])],
      writer_features: [...(protocol.writerFeatures ?? [])],
    },
  }
}

function typeText(type: DataType): string {
  return typeof type === 'string' ? type : JSON.stringify(type)
}

interface FileStats {
  readonly numRecords?: number
  readonly minValues?: Readonly<Record<string, unknown>>
  readonly maxValues?: Readonly<Record<string, unknown>>
  readonly nullCount?: Readonly<Record<string, unknown>>
}

function statsOf({ stats }: AddFile): FileStats | null {
  return stats ? (JSON.parse(stats) as FileStats) : null
}

function fileOf(file: AddFile): TableFiles['files'][number] {
  const stats = statsOf(file)
  return {
    path: decodeURIComponent(file.path),
    size_bytes: file.size,
    rows: stats?.numRecords ?? null,
    modified_at: Math.round(file.modificationTime),
    partition: { ...file.partitionValues },
    stats:
      stats === null
        ? null
        : {
            min: { ...stats.minValues },
            max: { ...stats.maxValues },
            null_count: { ...stats.nullCount },
          },
  }
}
