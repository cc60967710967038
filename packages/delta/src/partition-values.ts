import type { PartitionValues } from './actions.ts'
import { columnMappingMode, physicalName } from './column-mapping.ts'
import type { StructField } from './schema.ts'
import type { Snapshot } from './snapshot.ts'

/** A partition column: its field, and its key in `partitionValues`. */
export interface PartitionColumn {
  readonly field: StructField
  readonly key: string
}

/** The table's partition columns, in their order. */
export function partitionColumnsOf(
  snapshot: Pick<Snapshot, 'metadata' | 'schema' | 'partitionColumns'>,
): PartitionColumn[] {
  const mode = columnMappingMode(snapshot.metadata)
  return snapshot.partitionColumns.flatMap((name) => {
    const field = snapshot.schema.fields.find(
      (candidate) => candidate.name.toLowerCase() === name.toLowerCase(),
    )
    return field === undefined ? [] : [{ field, key: physicalName(field, mode) }]
  })
}

/** The value of a column; Protocol, "Partition Value Serialization": an empty string is null. */
export function partitionValue(values: PartitionValues, { key }: PartitionColumn): string | null {
  const value = values[key] ?? null
  return value === '' ? null : value
}
