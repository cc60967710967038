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

/** A path of the log as on disk, and back. Paths that are not well encoded are taken as they stand. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const ABSOLUTE = /^([a-z][a-z0-9+.-]*:|\/)/i

/** A path of the log as `Storage` takes it: relative paths decoded, URIs as they stand, bare absolute paths as `file:` URIs. */
export function storagePath(path: string): string {
  if (!ABSOLUTE.test(path)) return decodePath(path)
  return path.startsWith('/') ? `file://${path}` : path
}

/** A path relative to the root, as the log spells it: each part URI-encoded, `=` left readable. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll('%3D', '=')
}

/** One spelling for paths that mean the same file, as the key of a file: decoded, `file:/a` and `file:///a` as `/a`. */
export function canonicalPath(path: string): string {
  return decodePath(path).replace(/^file:\/{1,3}(?=[^/])/, '/')
}
