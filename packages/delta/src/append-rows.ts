import type { Metadata } from './actions.ts'
import { assertNoFeedColumns, keepsChangeFeed } from './change-feed.ts'
import { columnMappingMode } from './column-mapping.ts'
import type { CommitRequest } from './commit.ts'
import { DeltaError, unsupported } from './errors.ts'
import { type Filter, fileFilter, isPartitionFilter } from './filter.ts'
import { encodePath } from './log-paths.ts'
import type { DataFile } from './parquet-engine.ts'
import type { StructField, StructType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import { fieldsOf } from './table-features.ts'
import { discard, type OperationResult, type TableAccess, transact, writeRows } from './transact.ts'
import { fieldNamed } from './type-assignment.ts'

export interface AppendOptions {
  /** A transaction applied before makes the write a no-op. */
  readonly transactions?: CommitRequest['transactions']
  /** Columns of the rows that the table does not have are added to it, as nullable columns. */
  readonly mergeSchema?: boolean
}

export interface OverwriteOptions extends AppendOptions {
  /** Only partitions that satisfy these are replaced; the new rows must be of these partitions too. */
  readonly where?: readonly Filter[]
}

/** Appends the rows of a SELECT. */
export function appendRows(
  table: TableAccess,
  selectSql: string,
  options: AppendOptions,
): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const evolved = await evolvedTable(table, snapshot, { selectSql, options })
    const add = await writeRows(table, evolved.snapshot, selectSql)
    if (add.length === 0 && evolved.metadata === undefined && !options.transactions) return null
    return {
      add,
      ...evolvedRequest(evolved, snapshot),
      ...(options.transactions ? { transactions: options.transactions } : {}),
      operation: 'WRITE',
      operationParameters: { mode: 'Append' },
      operationMetrics: writeMetrics(add),
    }
  })
}

/** Replaces all rows, or those of some partitions, by the rows of a SELECT. */
export function overwriteRows(
  table: TableAccess,
  selectSql: string,
  options: OverwriteOptions,
): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const { where = [] } = options
    if (!isPartitionFilter(snapshot, where))
      throw new DeltaError(
        'DELTA_VALUE_INVALID',
        'What is overwritten is chosen by partition columns only; use delete and append',
      )
    const evolved = await evolvedTable(table, snapshot, { selectSql, options })
    const isReplaced = fileFilter(snapshot, where)
    const add = await writeRows(table, evolved.snapshot, selectSql)
    try {
      assertReplacing(add, isReplaced)
    } catch (error) {
      await discard(table, add)
      throw error
    }
    const remove = [...snapshot.files.values()].filter(isReplaced)
    return {
      add,
      remove,
      readVersion: snapshot.version,
      reads: { files: remove, wouldRead: isReplaced },
      ...evolvedRequest(evolved, snapshot),
      ...(options.transactions ? { transactions: options.transactions } : {}),
      operation: 'WRITE',
      operationParameters: {
        mode: 'Overwrite',
        ...(where.length === 0 ? {} : { predicate: JSON.stringify(where.map(String)) }),
      },
      operationMetrics: { ...writeMetrics(add), numRemovedFiles: remove.length },
    }
  })
}

/** The metadata with columns more, nullable, at the end. Throws `DELTA_SCHEMA_INVALID` for one that is there. */
export function withColumns(snapshot: Snapshot, columns: readonly StructField[]): Metadata {
  if (keepsChangeFeed(snapshot)) assertNoFeedColumns({ type: 'struct', fields: columns })
  const mode = columnMappingMode(snapshot.metadata)
  let lastId = Number(snapshot.metadata.configuration['delta.columnMapping.maxColumnId'] ?? 0)
  const added = columns.map((field) => {
    if (fieldNamed(snapshot.schema.fields, field.name))
      throw new DeltaError('DELTA_SCHEMA_INVALID', `There is a column ${field.name} already`)
    if (!field.nullable)
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `Column ${field.name} must be nullable: rows that are there have no value for it`,
      )
    if (mode === 'none') return field
    if (!fieldsOf(field.type).next().done)
      throw unsupported(`a nested column to add to a table with column mapping`)
    lastId += 1
    const physicalName = `col-${crypto.randomUUID()}`
    const mapping = { 'delta.columnMapping.id': lastId, 'delta.columnMapping.physicalName': physicalName }
    return { ...field, metadata: { ...field.metadata, ...mapping } }
  })
  const raw = JSON.parse(snapshot.metadata.schemaString) as StructType
  const schemaString = JSON.stringify({ ...raw, fields: [...raw.fields, ...added] })
  const configuration =
    mode === 'none'
      ? snapshot.metadata.configuration
      : { ...snapshot.metadata.configuration, 'delta.columnMapping.maxColumnId': String(lastId) }
  return { ...snapshot.metadata, schemaString, configuration }
}

interface Evolved {
  readonly snapshot: Snapshot
  readonly metadata?: Metadata
}

async function evolvedTable(
  table: TableAccess,
  snapshot: Snapshot,
  { selectSql, options }: { readonly selectSql: string; readonly options: AppendOptions },
): Promise<Evolved> {
  if (!options.mergeSchema) return { snapshot }
  const found = await table.engine.columns(selectSql)
  const fresh = found.filter(({ name }) => fieldNamed(snapshot.schema.fields, name) === undefined)
  if (fresh.length === 0) return { snapshot }
  const metadata = withColumns(snapshot, fresh)
  const schema = {
    type: 'struct' as const,
    fields: [...snapshot.schema.fields, ...addedFields(metadata, fresh)],
  }
  return { metadata, snapshot: { ...snapshot, metadata, schema } }
}

/** The added columns as the metadata has them, with their mapping. */
function addedFields(metadata: Metadata, fresh: readonly StructField[]): StructField[] {
  const { fields } = JSON.parse(metadata.schemaString) as StructType
  return fields
    .slice(-fresh.length)
    .map((field, i) => ({ ...(fresh[i] as StructField), metadata: field.metadata }))
}

function evolvedRequest({ metadata }: Evolved, { version }: Snapshot): Partial<CommitRequest> {
  return metadata === undefined ? {} : { metadata, readVersion: version }
}

function assertReplacing(add: readonly DataFile[], isReplaced: ReturnType<typeof fileFilter>): void {
  const outside = add.find(
    ({ path, partitionValues, sizeBytes }) =>
      !isReplaced({
        path: encodePath(path),
        partitionValues,
        size: sizeBytes,
        modificationTime: 0,
        dataChange: true,
      }),
  )
  if (outside === undefined) return
  throw new DeltaError(
    'DELTA_CONSTRAINT_VIOLATED',
    `The new rows have some of partition ${JSON.stringify(outside.partitionValues)}, which is not among those to be replaced; nothing was written`,
  )
}

function writeMetrics(add: readonly DataFile[]): Record<string, number> {
  return {
    numFiles: add.length,
    numOutputRows: add.reduce((sum, file) => sum + file.rowCount, 0),
    numOutputBytes: add.reduce((sum, file) => sum + file.sizeBytes, 0),
  }
}
