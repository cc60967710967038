import { DeltaError } from '../errors.ts'

/** A field of a Parquet schema, as DuckDB reads it. */
export interface FileColumn {
  readonly name: string
  /** DuckDB's type; null for groups. */
  readonly type: string | null
  readonly children: readonly FileColumn[]
}

interface Group<T> {
  readonly name: string
  readonly children: readonly T[]
}

/**
 * True for a list whose repeated group of one field is the element itself, not a group around it (Parquet, "Lists",
 * backward-compatibility rule 4).
 */
export function isTuple(list: Group<Group<unknown>>): boolean {
  const [repeated] = list.children
  return repeated?.children.length === 1 && ['array', `${list.name}_tuple`].includes(repeated.name)
}

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

interface SchemaRow {
  readonly file_name: string
  readonly name: string
  readonly num_children: number | string | null
  readonly duckdb_type: string | null
}

/** Top-level columns by file; `list` is the files, as text for SQL. Reads their footers. Throws `DELTA_FILE_CORRUPT`. */
export async function fileColumns(rows: Rows, list: string): Promise<Map<string, readonly FileColumn[]>> {
  const found = await rows(`SELECT file_name, name, num_children, duckdb_type FROM parquet_schema(${list})`)
  const elements = (found as unknown as readonly SchemaRow[]).values()
  const files = new Map<string, readonly FileColumn[]>()
  for (const root of elements) files.set(root.file_name, childrenOf(root, elements))
  return files
}

/** Parquet, "Metadata": the schema as a list in depth-first order, each element with its number of children. */
function childrenOf(parent: SchemaRow, elements: Iterator<SchemaRow>): FileColumn[] {
  return Array.from({ length: Number(parent.num_children ?? 0) }, () => {
    const { value, done } = elements.next()
    if (done)
      throw new DeltaError(
        'DELTA_FILE_CORRUPT',
        `The schema of ${parent.file_name} ends before all its columns`,
      )
    const row = value as SchemaRow
    return { name: row.name, type: row.duckdb_type, children: childrenOf(row, elements) }
  })
}
