import { fieldId, hasFieldId } from '../column-mapping.ts'
import { unsupported } from '../errors.ts'
import type { Scan, ScanFile } from '../scan.ts'
import type { DataType, StructField } from '../schema.ts'
import { fieldsOf, typesIn } from '../table-features.ts'
import { byAbsentFields } from './absent-fields.ts'
import { julianFiles } from './calendar-layouts.ts'
import { JULIAN_DATE, JULIAN_TIMESTAMP, sqlText, VARIANT_BYTES } from './sql-types.ts'
import { textLayouts } from './text-layouts.ts'
import { tupleLayouts } from './tuple-lists.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/**
 * The scan, divided by what DuckDB must be told of its files: how they name columns mapped by id, whether they
 * mark variants, texts and bytes as such, by which calendar they count, which structs have none of their fields, and which lists
 * hold structs that it does not see. For other tables it is one, and no file is
 * looked at.
 */
export async function scansByLayout(rows: Rows, scan: Scan): Promise<Scan[]> {
  let scans = [scan]
  for (const divide of [byTuples, byNames, byVariants, byTexts, byCalendar, byAbsentFields])
    scans = (await Promise.all(scans.map((one) => divide(rows, one)))).flat()
  return scans
}

async function byCalendar(rows: Rows, scan: Scan): Promise<Scan[]> {
  const julian = await julianFiles(rows, scan)
  if (julian.size === 0) return [scan]
  const others = scan.files.filter((file) => !julian.has(file))
  const old = withFields({ ...scan, files: [...julian] }, (field) => ({
    ...field,
    type: replaced(field.type, JULIAN_TYPES),
  }))
  return others.length === 0 ? [old] : [{ ...scan, files: others }, old]
}

const JULIAN_TYPES: ReadonlyMap<DataType, DataType> = new Map([
  ['date', JULIAN_DATE],
  ['timestamp', JULIAN_TIMESTAMP],
])
const UNMARKED_TYPES: ReadonlyMap<DataType, DataType> = new Map([['variant', VARIANT_BYTES]])

async function byTexts(rows: Rows, scan: Scan): Promise<Scan[]> {
  const layouts = await textLayouts(rows, scan)
  return layouts.map(({ files, types }) =>
    withFields({ ...scan, files }, (field, i) => ({ ...field, type: types[i] ?? field.type })),
  )
}

async function byTuples(rows: Rows, scan: Scan): Promise<Scan[]> {
  const layouts = await tupleLayouts(rows, scan)
  return layouts.map(({ files, fields }) =>
    withFields({ ...scan, files }, (field, i) => ({ ...field, type: fields[i]?.type ?? field.type })),
  )
}

/** Spark 4.1 and newer mark variants, so that DuckDB reads them; the bytes of older files are made variants here. */
async function byVariants(rows: Rows, scan: Scan): Promise<Scan[]> {
  if (!scan.schema.fields.some(({ type }) => hasVariant(type))) return [scan]
  const marked: ScanFile[] = []
  const unmarked: ScanFile[] = []
  for (const file of scan.files) {
    const columns = await rows(
      `DESCRIBE SELECT * FROM read_parquet(${sqlText(file.localPath)}, hive_partitioning = false)`,
    )
    const isMarked = columns.some(({ column_type }) => String(column_type).includes('VARIANT'))
    if (!isMarked) assertWhole(columns)
    ;(isMarked ? marked : unmarked).push(file)
  }
  const scans = [
    { ...scan, files: marked },
    withFields({ ...scan, files: unmarked }, (field) => ({
      ...field,
      type: replaced(field.type, UNMARKED_TYPES),
    })),
  ]
  return scan.files.length === 0 ? [scan] : scans.filter(({ files }) => files.length > 0)
}

/** Of a variant that is not marked, DuckDB would read the bytes only, without what is in columns of its own. */
function assertWhole(columns: readonly Record<string, unknown>[]): void {
  if (!columns.some(({ column_type }) => /\btyped_value\b/.test(String(column_type)))) return
  throw unsupported('a data file with shredded variants that it does not mark as variants', [
    'variantShredding',
  ])
}

function hasVariant(type: DataType): boolean {
  return [...typesIn(type)].some((one) => one === 'variant')
}

/** The type with some of those in it, or itself, replaced. */
function replaced(type: DataType, by: ReadonlyMap<DataType, DataType>): DataType {
  if (typeof type === 'string') return by.get(type) ?? type
  if (type.type === 'array') return { ...type, elementType: replaced(type.elementType, by) }
  if (type.type === 'map')
    return { ...type, keyType: replaced(type.keyType, by), valueType: replaced(type.valueType, by) }
  return { ...type, fields: type.fields.map((field) => ({ ...field, type: replaced(field.type, by) })) }
}

/** Changes what files hold: partition columns, of which the log tells, stay as they are. */
function withFields(scan: Scan, change: (field: StructField, index: number) => StructField): Scan {
  const partitions = new Set(scan.partitionColumns.map(({ field }) => field))
  const fields = scan.schema.fields.map((field, i) => (partitions.has(field) ? field : change(field, i)))
  return { ...scan, schema: { ...scan.schema, fields } }
}

/**
 * By how files name their columns and the fields inside. DuckDB finds columns by field id, but what is in them by name,
 * and tables mapped by id may have files that name it otherwise (Protocol, "Column Mapping", mode `id`); so all is found
 * by the names of the file. So it is where a column has no id, as `_change_type` has none. Costs a look at each file's
 * footer, for such tables only.
 */
async function byNames(rows: Rows, scan: Scan): Promise<Scan[]> {
  const { fields } = scan.schema
  const nested = fields.flatMap((field) => [...fieldsOf(field.type)])
  const ids = [...fields, ...nested].filter(hasFieldId).map(fieldId)
  const isFoundById = nested.length === 0 && ids.length === fields.length
  if (scan.columnMapping !== 'id' || isFoundById || scan.files.length === 0) return [scan]
  const names = await namesById(rows, { files: scan.files, ids })
  const layouts = new Map<string, ScanFile[]>()
  for (const file of scan.files) {
    const layout = JSON.stringify([...(names.get(file.localPath) ?? [])])
    const group = layouts.get(layout)
    if (group) group.push(file)
    else layouts.set(layout, [file])
  }
  return [...layouts].map(([layout, files]) => {
    const own = new Map<number, string>(JSON.parse(layout))
    return withFields({ ...scan, files, columnMapping: 'name' }, (field) => named(field, own))
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

/** The field and those within it named as a file names them; one it does not have by a name that is in no file. */
function named(field: StructField, names: ReadonlyMap<number, string>): StructField {
  const type = namedWithin(field.type, names)
  if (!hasFieldId(field)) return { ...field, type }
  const physicalName = names.get(fieldId(field)) ?? `absent ${fieldId(field)}`
  return { ...field, type, metadata: { ...field.metadata, 'delta.columnMapping.physicalName': physicalName } }
}

function namedWithin(type: DataType, names: ReadonlyMap<number, string>): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: namedWithin(type.elementType, names) }
  if (type.type === 'map') {
    const { keyType, valueType } = type
    return { ...type, keyType: namedWithin(keyType, names), valueType: namedWithin(valueType, names) }
  }
  return { ...type, fields: type.fields.map((field) => named(field, names)) }
}
