import { physicalName } from '../column-mapping.ts'
import type { Scan, ScanFile } from '../scan.ts'
import type { DataType, StructField, StructType } from '../schema.ts'
import { typesIn } from '../table-features.ts'
import { type FileColumn, fileColumns, isTuple } from './file-columns.ts'
import { ABSENT, sqlText, UNWRAPPED } from './sql-types.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/** Files of one layout, and the columns of the table with their structs marked that DuckDB does not see in these files. */
export interface TupleLayout {
  readonly files: readonly ScanFile[]
  readonly fields: readonly StructField[]
}

/**
 * The files of a table with lists of structs, by the lists in which a struct of one field is the repeated group itself, as
 * parquet-avro and Thrift wrote them (Parquet, "Lists", backward-compatibility rule 4). DuckDB takes such a group for the one
 * around an element, and gives the field in place of the struct. Costs a look at each file's footer, for such tables only;
 * files of tables mapped by id are newer than such writers.
 */
export async function tupleLayouts(rows: Rows, scan: Scan): Promise<TupleLayout[]> {
  const declared = scan.schema.fields
  const whole = { files: scan.files, fields: declared }
  if (scan.columnMapping === 'id' || scan.files.length === 0 || !hasListsOfStructs(scan.schema))
    return [whole]
  const old = await filesWithTuples(rows, scan.files)
  if (old.length === 0) return [whole]
  const found = await fileColumns(rows, `[${old.map(({ localPath }) => sqlText(localPath)).join(', ')}]`)
  const layouts = new Map<string, { files: ScanFile[]; fields: readonly StructField[] }>()
  for (const file of scan.files) {
    const columns = found.get(file.localPath)
    const fields = columns === undefined ? declared : declared.map((field) => marked(field, columns, scan))
    const key = JSON.stringify(fields)
    const layout = layouts.get(key)
    if (layout) layout.files.push(file)
    else layouts.set(key, { files: [file], fields })
  }
  return [...layouts.values()]
}

function hasListsOfStructs(schema: StructType): boolean {
  return [...typesIn(schema)].some(
    (type) => typeof type !== 'string' && type.type === 'array' && isStruct(type.elementType),
  )
}

async function filesWithTuples(rows: Rows, files: readonly ScanFile[]): Promise<ScanFile[]> {
  const list = files.map(({ localPath }) => sqlText(localPath)).join(', ')
  const found = await rows(
    `SELECT DISTINCT file_name FROM parquet_schema([${list}]) WHERE num_children = 1 AND repetition_type = 'REPEATED' AND (name = 'array' OR suffix(name, '_tuple'))`,
  )
  const names = new Set(found.map(({ file_name }) => file_name))
  return files.filter(({ localPath }) => names.has(localPath))
}

function marked(field: StructField, columns: readonly FileColumn[], scan: Scan): StructField {
  const column = columnOf(field, columns, scan)
  return column === undefined ? field : { ...field, type: markedType(field.type, column, scan) }
}

function markedType(type: DataType, column: FileColumn, scan: Scan): DataType {
  if (typeof type === 'string') return type
  if (isStruct(type))
    return { ...type, fields: type.fields.map((field) => marked(field, column.children, scan)) }
  const [repeated] = column.children
  if (repeated === undefined) return type
  if (type.type === 'map') {
    const [key, value] = repeated.children
    if (key === undefined || value === undefined) return type
    return {
      ...type,
      keyType: markedType(type.keyType, key, scan),
      valueType: markedType(type.valueType, value, scan),
    }
  }
  const [only] = repeated.children
  if (only === undefined) return type
  if (!isTuple(column))
    return { ...type, elementType: markedType(type.elementType, elementIn(repeated), scan) }
  if (!isStruct(type.elementType)) return { ...type, elementType: markedType(type.elementType, only, scan) }
  const own = type.elementType.fields.find((field) => columnOf(field, repeated.children, scan) !== undefined)
  // A group of that name around an element after all.
  if (own === undefined) return { ...type, elementType: markedType(type.elementType, only, scan) }
  return { ...type, elementType: unwrapped(type.elementType, own, only, scan) }
}

function elementIn(repeated: FileColumn): FileColumn {
  const [only, ...others] = repeated.children
  return only === undefined || others.length > 0 ? repeated : only
}

/** The struct, of which the files give its field `own` alone, and not within a struct. */
function unwrapped(type: StructType, own: StructField, column: FileColumn, scan: Scan): StructType {
  const fields = type.fields.map((field) =>
    field === own
      ? {
          ...field,
          type: markedType(field.type, column, scan),
          metadata: { ...field.metadata, [UNWRAPPED]: true },
        }
      : { ...field, metadata: { ...field.metadata, [ABSENT]: true } },
  )
  return { ...type, fields }
}

function columnOf(
  field: StructField,
  columns: readonly FileColumn[],
  { columnMapping }: Scan,
): FileColumn | undefined {
  const name = physicalName(field, columnMapping)
  const exact = columns.find((column) => column.name === name)
  return exact ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
}

function isStruct(type: DataType): type is StructType {
  return typeof type !== 'string' && type.type === 'struct'
}
