import { type FileHandle, open } from 'node:fs/promises'
import {
  type ColumnMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet'
import { type Action, checkedAction } from './actions.ts'
import { DeltaError } from './errors.ts'
import { readLeaf } from './parquet-leaf.ts'
import { type LeafReader, valuesOf } from './parquet-records.ts'
import { fileFailure, readFailure } from './storage-errors.ts'
import { typedStatistic } from './typed-statistics.ts'

/** Columns of a checkpoint. Protocol, "Checkpoint Schema". */
const ACTIONS: ReadonlySet<string> = new Set([
  'add',
  'remove',
  'txn',
  'metaData',
  'protocol',
  'domainMetadata',
  'checkpointMetadata',
  'sidecar',
])

/** Most footers are smaller; a longer one takes a second read. */
const FOOTER_BYTES = 64 * 1024

/**
 * The actions of a checkpoint or a sidecar, a Parquet file on this machine's disk. Fields that are null are left out, and
 * so are structs with nothing in them. Statistics that are there as typed columns only become JSON. Throws
 * `DELTA_LOG_CORRUPT`, and `DELTA_NOT_FOUND` and `DELTA_STORAGE_FAILED` as `Storage` does.
 *
 * The engine could read it too, but its rows take several times as long as decoding the few columns that hold something.
 */
export async function readCheckpoint(localPath: string): Promise<Action[]> {
  const file = await open(localPath).catch((error: unknown) => {
    throw readFailure(error, localPath)
  })
  try {
    const { size } = await file.stat()
    const slice = (start: number, end = size) => {
      // Where they are is said by the file itself.
      if (!(start >= 0 && start <= end && end <= size))
        throw new RangeError(`it has no bytes ${start} to ${end}`)
      return bytesOf(file, localPath, { start, end })
    }
    const metadata = await parquetMetadataAsync(
      { byteLength: size, slice },
      // Geometries are not looked for: where a group says that it has fewer than no children, that look never ends (hyparquet 1.33).
      { initialFetchSize: FOOTER_BYTES, geoparquet: false },
    )
    const columns = parquetSchema(metadata).children.filter(({ element }) => ACTIONS.has(element.name))
    const actions: Action[] = []
    for (const group of metadata.row_groups) {
      const chunks = chunksOf(group)
      if (chunks.size === 0) continue
      const { start, end } = rangeOf(chunks)
      const bytes = new Uint8Array(await slice(start, end))
      appendActions(actions, columns, { bytes, start, chunks, rowCount: Number(group.num_rows) })
      release(bytes.buffer)
    }
    return actions
  } catch (error) {
    if (error instanceof DeltaError) throw error
    throw new DeltaError('DELTA_LOG_CORRUPT', `${localPath} cannot be read as a checkpoint: ${error}`, error)
  } finally {
    await file.close()
  }
}

/**
 * Gives memory back at once: what waits to be collected makes V8 look through all that is alive. Node 20 cannot, and waits.
 */
function release(buffer: ArrayBuffer & { transfer?(length: number): ArrayBuffer }): void {
  buffer.transfer?.(0)
}

/** A row group in memory. */
interface Group {
  readonly bytes: Uint8Array
  /** Where they begin in the file. */
  readonly start: number
  readonly chunks: Chunks
  readonly rowCount: number
}

/** Column chunks by `pathKey`. */
type Chunks = ReadonlyMap<string, ColumnMetaData>

function chunksOf(group: RowGroup): Chunks {
  const chunks = group.columns.flatMap(({ meta_data: chunk }) => (chunk === undefined ? [] : [chunk]))
  return new Map(
    chunks
      .filter(({ path_in_schema: [column = ''] }) => ACTIONS.has(column))
      .map((chunk) => [pathKey(chunk.path_in_schema), chunk]),
  )
}

/** Names may hold dots. */
function pathKey(path: readonly string[]): string {
  return path.join('\0')
}

function startOf(chunk: ColumnMetaData): number {
  return Number(chunk.dictionary_page_offset || chunk.data_page_offset)
}

function endOf(chunk: ColumnMetaData): number {
  return startOf(chunk) + Number(chunk.total_compressed_size)
}

/** From the first chunk's begin to the last's end: in a checkpoint they all stand together. */
function rangeOf(chunks: Chunks): { readonly start: number; readonly end: number } {
  const all = [...chunks.values()]
  return { start: Math.min(...all.map(startOf)), end: Math.max(...all.map(endOf)) }
}

function appendActions(actions: Action[], columns: readonly SchemaTree[], group: Group): void {
  for (const column of columns) {
    const { name } = column.element
    if (name === 'add') {
      for (const add of addsOf(column, group)) if (add !== null) actions.push(checkedAction({ add }))
    } else {
      for (const row of rowsOf(column, group, asNumber))
        if (row !== null) actions.push(checkedAction({ [name]: row }))
    }
  }
}

/** What a row of a column comes to. */
type Row = Record<string, unknown> | null

function addsOf(column: SchemaTree, group: Group): Row[] {
  const withFields = (isWanted: (name: string) => boolean) => ({
    ...column,
    children: column.children.filter(({ element }) => isWanted(element.name)),
  })
  const adds = rowsOf(
    withFields((name) => name !== 'stats_parsed' && name !== 'partitionValues_parsed'),
    group,
    asNumber,
  )
  const hasTyped = column.children.some(({ element }) => element.name === 'stats_parsed')
  if (!hasTyped || adds.every((add) => add === null || add.stats !== undefined)) return adds
  const typed = rowsOf(
    withFields((name) => name === 'stats_parsed'),
    group,
    typedStatistic,
  )
  for (const [i, add] of adds.entries()) {
    const stats = typed[i]?.stats_parsed
    if (add !== null && stats !== undefined) add.stats ??= JSON.stringify(stats)
  }
  return adds
}

/** A value of a leaf, as it is to be in an action. */
type Convert = (value: unknown, element: SchemaElement) => unknown

function asNumber(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function rowsOf(column: SchemaTree, group: Group, convert: Convert): Row[] {
  const read: LeafReader = (node, type) => {
    const chunk = group.chunks.get(pathKey(node.path))
    if (chunk === undefined) throw new TypeError(`there is no column ${node.path.join('.')}`)
    const isNull = type.repetitionMax === 0 && chunk.statistics?.null_count === chunk.num_values
    if (isNull) return null
    const bytes = group.bytes.subarray(startOf(chunk) - group.start, endOf(chunk) - group.start)
    const leaf = readLeaf(bytes, chunk, type)
    return type.element.type === 'BYTE_ARRAY'
      ? leaf
      : { ...leaf, values: Array.from(leaf.values, (value) => convert(value, type.element)) }
  }
  const next = valuesOf(column, read)
  const rows: Row[] = []
  for (let i = 0; i < group.rowCount; i++) rows.push(next() as Row)
  return rows
}

async function bytesOf(
  file: FileHandle,
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start).catch((error: unknown) => {
    throw fileFailure(error, `read ${path}`)
  })
  if (bytesRead < bytes.length) throw new RangeError(`it ends after ${start + bytesRead} bytes`)
  return bytes.buffer
}
