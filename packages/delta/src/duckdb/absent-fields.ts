import { physicalName } from '../column-mapping.ts'
import type { Scan, ScanFile } from '../scan.ts'
import { column, type DataType, type StructField, type StructType } from '../schema.ts'
import { typesIn } from '../table-features.ts'
import { isTuple } from './file-columns.ts'
import { ABSENT, NOT_OF_TABLE, sqlText } from './sql-types.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/**
 * By the structs none of whose fields a file has, as when all were dropped and others added since. DuckDB refuses to read
 * such a struct; it is asked for one of the fields that the file has, which tells where the struct is null. Without column
 * mapping no field is ever dropped, and no file is looked at.
 */
export async function byAbsentFields(rows: Rows, scan: Scan): Promise<Scan[]> {
  const hasStructs = scan.schema.fields.some(({ type }) => [...typesIn(type)].some(isStruct))
  if (scan.columnMapping === 'none' || !hasStructs || scan.files.length === 0) return [scan]
  const scans = await filesByLayout(rows, scan.files)
  return mergedByType(
    scans.map(({ root, files }) => {
      const fields = scan.schema.fields.map((field) => fieldIn(field, childOf(root, field, scan), scan))
      return { ...scan, files, schema: { ...scan.schema, fields } }
    }),
    scan,
  )
}

/** Most layouts differ in nothing that matters here, and their files are read at once. */
function mergedByType(scans: readonly Scan[], { schema, partitionColumns }: Scan): Scan[] {
  const merged = new Map<string, Scan>()
  for (const scan of scans) {
    const key = JSON.stringify(scan.schema.fields)
    const known = merged.get(key)
    merged.set(key, known ? { ...known, files: [...known.files, ...scan.files] } : scan)
  }
  return [...merged.values()].map((scan) => ({
    ...scan,
    partitionColumns: partitionColumns.map((one) => ({
      ...one,
      field: scan.schema.fields[schema.fields.indexOf(one.field)] as StructField,
    })),
  }))
}

/** An element of a Parquet schema. */
interface Node {
  readonly name: string
  readonly children: readonly Node[]
}

interface Layout {
  readonly root: Node
  readonly files: readonly ScanFile[]
}

async function filesByLayout(rows: Rows, files: readonly ScanFile[]): Promise<Layout[]> {
  const list = files.map(({ localPath }) => sqlText(localPath)).join(', ')
  const elements = `SELECT file_name, list([name, coalesce(num_children, 0)::VARCHAR] ORDER BY column_id) AS layout FROM parquet_schema([${list}]) GROUP BY 1`
  const found = await rows(`SELECT layout, list(file_name) AS names FROM (${elements}) GROUP BY 1`)
  const byPath = new Map<string, ScanFile[]>()
  for (const file of files) byPath.set(file.localPath, [...(byPath.get(file.localPath) ?? []), file])
  return found.map(({ layout, names }) => ({
    root: nodeOf((layout as [string, string][]).values()),
    files: (names as string[]).flatMap((name) => byPath.get(name) ?? []),
  }))
}

/** Parquet lists elements depth first, each with the number of its children. */
function nodeOf(elements: Iterator<readonly [name: string, childCount: string]>): Node {
  const { value } = elements.next()
  const [name = '', childCount = '0'] = value ?? []
  return { name, children: Array.from({ length: Number(childCount) }, () => nodeOf(elements)) }
}

function childOf({ children }: Node, field: StructField, { columnMapping }: Scan): Node | undefined {
  const name = physicalName(field, columnMapping).toLowerCase()
  return children.find((child) => child.name.toLowerCase() === name)
}

function fieldIn(field: StructField, node: Node | undefined, scan: Scan): StructField {
  return node === undefined ? field : { ...field, type: typeIn(field.type, node, scan) }
}

function typeIn(type: DataType, node: Node, scan: Scan): DataType {
  if (typeof type === 'string' || node.children.length === 0) return type
  if (isStruct(type)) return structIn(type, node, scan)
  const [repeated] = node.children
  if (repeated === undefined) return type
  if (type.type === 'array')
    return { ...type, elementType: typeIn(type.elementType, elementOf(node, repeated), scan) }
  const [key, value] = repeated.children
  if (key === undefined || value === undefined) return type
  return { ...type, keyType: typeIn(type.keyType, key, scan), valueType: typeIn(type.valueType, value, scan) }
}

/** Lists of old writers repeat the element itself, without a group around it (Parquet, "Backward-compatibility rules"). */
function elementOf(list: Node, repeated: Node): Node {
  const [only, ...others] = repeated.children
  return only === undefined || others.length > 0 || isTuple(list) ? repeated : only
}

function structIn(type: StructType, node: Node, scan: Scan): StructType {
  const found = type.fields.map((field) => [field, childOf(node, field, scan)] as const)
  if (found.some(([, child]) => child !== undefined))
    return { ...type, fields: found.map(([field, child]) => fieldIn(field, child, scan)) }
  const own = node.children[0]?.name ?? ''
  const marks = { [NOT_OF_TABLE]: true, 'delta.columnMapping.physicalName': own }
  return {
    ...type,
    // Anything can be cast to text.
    fields: [
      { ...column(own, 'string'), metadata: marks },
      ...type.fields.map((field) => ({ ...field, metadata: { ...field.metadata, [ABSENT]: true } })),
    ],
  }
}

function isStruct(type: DataType): type is StructType {
  return typeof type === 'object' && type.type === 'struct'
}
