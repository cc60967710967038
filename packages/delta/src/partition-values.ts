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

/** Hive's folder of nulls, which converters of Hive tables took for a value; a text may be spelled like it. */
const HIVE_NULL = '__HIVE_DEFAULT_PARTITION__'

/** The value of a column; Protocol, "Partition Value Serialization": an empty string is null. */
export function partitionValue(values: PartitionValues, { field, key }: PartitionColumn): string | null {
  const value = values[key] ?? null
  return value === '' || (value === HIVE_NULL && field.type !== 'string') ? null : value
}

/** Things of a table, by the partition they are of, in the order in which partitions come up. */
export function byPartition<T extends { readonly partitionValues: PartitionValues }>(
  files: readonly T[],
  columns: readonly PartitionColumn[],
): T[][] {
  const groups = new Map<string, T[]>()
  for (const file of files) {
    const key = JSON.stringify(columns.map((column) => partitionValue(file.partitionValues, column)))
    const group = groups.get(key)
    if (group) group.push(file)
    else groups.set(key, [file])
  }
  return [...groups.values()]
}
