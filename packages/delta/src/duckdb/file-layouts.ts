import { fieldId } from '../column-mapping.ts'
import type { Scan, ScanFile } from '../scan.ts'
import type { DataType, StructField } from '../schema.ts'
import { fieldsOf } from '../table-features.ts'
import { sqlText } from './sql-types.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/**
 * The scan, divided by how its files name the fields inside their columns. DuckDB finds columns by field id, but what is
 * in them by name; tables mapped by id may have files that name it otherwise (Protocol, "Column Mapping", mode `id`).
 * Costs a look at each file's footer, for such tables only.
 */
export async function scansByLayout(rows: Rows, scan: Scan): Promise<Scan[]> {
  const nested = scan.schema.fields.flatMap((field) => [...fieldsOf(field.type)])
  if (scan.columnMapping !== 'id' || nested.length === 0 || scan.files.length === 0) return [scan]
  const names = await namesById(rows, { files: scan.files, ids: nested.map(fieldId) })
  const layouts = new Map<string, ScanFile[]>()
  for (const file of scan.files) {
    const layout = JSON.stringify([...(names.get(file.localPath) ?? [])])
    const group = layouts.get(layout)
    if (group) group.push(file)
    else layouts.set(layout, [file])
  }
  return [...layouts].map(([layout, files]) => {
    const own = new Map<number, string>(JSON.parse(layout))
    const fields = scan.schema.fields.map((field) => ({ ...field, type: named(field.type, own) }))
    // Partition columns keep pointing at their fields.
    const partitionColumns = scan.partitionColumns.map((column) => ({
      ...column,
      field: fields[scan.schema.fields.indexOf(column.field)] as StructField,
    }))
    return { ...scan, files, schema: { ...scan.schema, fields }, partitionColumns }
  })
}

async function namesById(
  rows: Rows,
  { files, ids }: { readonly files: readonly ScanFile[]; readonly ids: readonly number[] },
): Promise<Map<string, Map<number, string>>> {
  const list = files.map((file) => sqlText(file.localPath)).join(', ')
  const found = await rows(
    `SELECT file_name, name, field_id FROM parquet_schema([${list}]) WHERE field_id IN (${ids.join(', ')}) ORDER BY file_name, field_id`,
  )
  const names = new Map<string, Map<number, string>>()
  for (const { file_name, name, field_id } of found) {
    const own = names.get(String(file_name)) ?? new Map<number, string>()
    names.set(String(file_name), own.set(Number(field_id), String(name)))
  }
  return names
}

/** The type, fields named as a file names them; one it does not have by a name that is in no file. */
function named(type: DataType, names: ReadonlyMap<number, string>): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: named(type.elementType, names) }
  if (type.type === 'map')
    return { ...type, keyType: named(type.keyType, names), valueType: named(type.valueType, names) }
  return {
    ...type,
    fields: type.fields.map((field) => {
      const physicalName = names.get(fieldId(field)) ?? `absent ${fieldId(field)}`
      const metadata = { ...field.metadata, 'delta.columnMapping.physicalName': physicalName }
      return { ...field, metadata, type: named(field.type, names) }
    }),
  }
}
