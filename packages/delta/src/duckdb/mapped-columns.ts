import { type ColumnMappingMode, fieldId, physicalName } from '../column-mapping.ts'
import type { DataType, StructField } from '../schema.ts'
import { fieldsOf, typesIn } from '../table-features.ts'
import { FILE_TYPES, isAbsent, isNotOfTable, sqlName, sqlType, unwrappedField } from './sql-types.ts'

/** Which way fields are renamed: as data files name them, or as the table does. */
export type Naming = 'logical' | 'physical'

/**
 * A value whose struct fields are renamed and in which what a file marks otherwise (`FILE_TYPES`) is made what the table
 * declares, however deep; the expression itself where there is neither.
 */
export function renamed(
  expression: string,
  type: DataType,
  { to, mode, depth = 0 }: { readonly to: Naming; readonly mode: ColumnMappingMode; readonly depth?: number },
): string {
  const inFile = FILE_TYPES.get(type)
  if (inFile) return inFile.toDeclared(expression)
  if (
    typeof type === 'string' ||
    !(isMarkedOtherwise(type) || (mode !== 'none' && !fieldsOf(type).next().done))
  )
    return expression
  const deeper = { to, mode, depth: depth + 1 }
  const item = `x${depth}`
  if (type.type === 'array') {
    return `list_transform(${expression}, lambda ${item}: ${renamed(item, type.elementType, deeper)})`
  }
  if (type.type === 'map') {
    const key = renamed(`${item}.key`, type.keyType, deeper)
    const value = renamed(`${item}.value`, type.valueType, deeper)
    const entries = `list_transform(map_entries(${expression}), lambda ${item}: struct_pack(key := ${key}, value := ${value}))`
    return `CASE WHEN ${expression} IS NULL THEN NULL ELSE map_from_entries(${entries}) END`
  }
  const unwrapped = unwrappedField(type)
  const fields = type.fields
    .filter((field) => !isNotOfTable(field))
    .map((field) => {
      const [logical, physical] = [sqlName(field.name), sqlName(physicalName(field, mode))]
      const [from, name] = to === 'logical' ? [physical, logical] : [logical, physical]
      const inFile = field === unwrapped ? expression : `(${expression}).${from}`
      const value = isAbsent(field) ? `CAST(NULL AS ${sqlType(field.type, mode)})` : inFile
      return `${name} := ${renamed(value, field.type, deeper)}`
    })
  const struct = `struct_pack(${fields.join(', ')})`
  // An element of such a list is there, whatever its field is.
  return unwrapped ? struct : `CASE WHEN ${expression} IS NULL THEN NULL ELSE ${struct} END`
}

function isMarkedOtherwise(type: DataType): boolean {
  return [...typesIn(type)].some(
    (one) =>
      FILE_TYPES.has(one) ||
      (typeof one !== 'string' && one.type === 'struct' && unwrappedField(one) !== undefined),
  )
}

/** Value of COPY's option FIELD_IDS: Parquet field ids of mapped columns and the fields in them. */
export function fieldIds(fields: readonly StructField[], mode: ColumnMappingMode): string {
  const entries = fields.map((field) => {
    const nested = nestedIds(field.type, mode)
    const id = fieldId(field)
    const value = nested === '' ? String(id) : `{__duckdb_field_id: ${id}, ${nested}}`
    return `${sqlName(physicalName(field, mode))}: ${value}`
  })
  return `{${entries.join(', ')}}`
}

function nestedIds(type: DataType, mode: ColumnMappingMode): string {
  if (typeof type === 'string') return ''
  if (type.type === 'struct') return fieldIds(type.fields, mode).slice(1, -1)
  const parts: readonly (readonly [name: string, type: DataType])[] =
    type.type === 'array'
      ? [['element', type.elementType]]
      : [
          ['key', type.keyType],
          ['value', type.valueType],
        ]
  return parts
    .map(([name, part]) => [name, nestedIds(part, mode)] as const)
    .filter(([, ids]) => ids !== '')
    .map(([name, ids]) => `${name}: {${ids}}`)
    .join(', ')
}
