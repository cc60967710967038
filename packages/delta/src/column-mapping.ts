import type { Metadata } from './actions.ts'
import { DeltaError, unsupported } from './errors.ts'
import type { StructField } from './schema.ts'

/** Protocol, "Column Mapping": how columns of data files are found. */
export type ColumnMappingMode = 'none' | 'name' | 'id'

const PHYSICAL_NAME = 'delta.columnMapping.physicalName'
const FIELD_ID = 'delta.columnMapping.id'

/** The table's mode. Throws `DELTA_FEATURE_UNSUPPORTED` for one the protocol does not know. */
export function columnMappingMode(metadata: Metadata): ColumnMappingMode {
  const mode = metadata.configuration?.['delta.columnMapping.mode'] ?? 'none'
  if (mode === 'none' || mode === 'name' || mode === 'id') return mode
  throw unsupported(`column mapping by ${mode}`, ['columnMapping'])
}

/** The name under which a column is in data files, statistics and partition values. Throws `DELTA_SCHEMA_INVALID`. */
export function physicalName(field: StructField, mode: ColumnMappingMode): string {
  if (mode === 'none') return field.name
  const name = field.metadata[PHYSICAL_NAME]
  if (typeof name === 'string') return name
  throw new DeltaError('DELTA_SCHEMA_INVALID', `Column ${field.name} has no ${PHYSICAL_NAME} in its metadata`)
}

/** False for a column that the table's mapping does not know, such as `_change_type`. */
export function hasFieldId(field: StructField): boolean {
  return typeof field.metadata[FIELD_ID] === 'number'
}

/** The Parquet field id of a column of a mapped table. Throws `DELTA_SCHEMA_INVALID`. */
export function fieldId(field: StructField): number {
  const id = field.metadata[FIELD_ID]
  if (typeof id === 'number') return id
  throw new DeltaError('DELTA_SCHEMA_INVALID', `Column ${field.name} has no ${FIELD_ID} in its metadata`)
}
