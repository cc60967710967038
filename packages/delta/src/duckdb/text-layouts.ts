import type { Scan, ScanFile } from '../scan.ts'
import type { DataType } from '../schema.ts'
import { typesIn } from '../table-features.ts'
import { type FileColumn, fileColumns, isTuple } from './file-columns.ts'
import { BYTES_AS_TEXT, FILE_TYPES, sqlText, TEXT_AS_BYTES } from './sql-types.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/** Files that hold text and bytes alike, and the types to read their columns by: those of the table, in its order. */
export interface TextLayout {
  readonly files: readonly ScanFile[]
  readonly types: readonly DataType[]
}

/**
 * The files of a table with binary columns, by what they mark as text: old writers mark none, others mark bytes as text, and
 * DuckDB's casts between the two are escapes, not bytes. Costs a look at each file's footer; tables without binary columns
 * need none (`marksNoText`). Mapped tables are newer than such writers.
 */
export async function textLayouts(rows: Rows, scan: Scan): Promise<TextLayout[]> {
  const declared = scan.schema.fields.map(({ type }) => type)
  const hasBinary = declared.some((type) => [...typesIn(type)].includes('binary'))
  if (!hasBinary || scan.columnMapping !== 'none' || scan.files.length === 0)
    return [{ files: scan.files, types: declared }]
  const list = scan.files.map((file) => sqlText(file.localPath)).join(', ')
  const found = await fileColumns(rows, `[${list}]`)
  const layouts = new Map<string, { files: ScanFile[]; types: readonly DataType[] }>()
  for (const file of scan.files) {
    const columns = found.get(file.localPath) ?? []
    const types = scan.schema.fields.map(({ name, type }) => asWritten(type, child(columns, name)))
    const key = JSON.stringify(types)
    const layout = layouts.get(key)
    if (layout) layout.files.push(file)
    else layouts.set(key, { files: [file], types })
  }
  return [...layouts.values()]
}

/** True when bytes that a file does not mark are text: no column is binary, nor any field that was dropped from a struct. */
export function marksNoText({ schema, columnMapping }: Scan): boolean {
  const isBytes = (type: DataType) => type === 'binary' || type === 'variant' || FILE_TYPES.has(type)
  return columnMapping === 'none' && ![...typesIn(schema)].some(isBytes)
}

/** The declared type, with what the file marks otherwise told apart. */
function asWritten(type: DataType, column: FileColumn | undefined): DataType {
  if (column === undefined) return type
  if (type === 'string') return column.type === 'BLOB' ? TEXT_AS_BYTES : type
  if (type === 'binary') return column.type === 'VARCHAR' ? BYTES_AS_TEXT : type
  if (typeof type === 'string') return type
  const [repeated] = column.children
  switch (type.type) {
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((field) => ({
          ...field,
          type: asWritten(field.type, child(column.children, field.name)),
        })),
      }
    case 'array':
      return { ...type, elementType: asWritten(type.elementType, elementOf(column)) }
    case 'map':
      return {
        ...type,
        keyType: asWritten(type.keyType, repeated?.children[0]),
        valueType: asWritten(type.valueType, repeated?.children[1]),
      }
  }
}

/** Parquet, "Lists": the repeated field is the element itself, or a group around it. */
function elementOf(list: FileColumn): FileColumn | undefined {
  const [repeated] = list.children
  if (repeated === undefined) return list
  return repeated.children.length !== 1 || isTuple(list) ? repeated : repeated.children[0]
}

function child(columns: readonly FileColumn[], name: string): FileColumn | undefined {
  const exact = columns.find((column) => column.name === name)
  return exact ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
}
