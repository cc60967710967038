import type { AddFile } from '../actions.ts'
import type { StructField } from '../schema.ts'
import type { Snapshot } from '../snapshot.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'

/**
 * The rows of a snapshot as text for SQL's FROM: columns in the order of the schema, cast to their declared types,
 * partition columns from the log. `resolve` gives the local path of a file of the table.
 *
 * Files of tables whose schema has grown lack newer columns; they read as NULL with `hasSchemaChanged`, which costs a
 * look at every file's footer.
 */
export function relationOf(
  snapshot: Snapshot,
  resolve: (path: string) => string,
  options: { readonly hasSchemaChanged?: boolean } = {},
): string {
  const { fields } = snapshot.schema
  const files = [...snapshot.files.values()]
  if (files.length === 0) {
    return `(SELECT ${fields.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${sqlName(name)}`).join(', ')} WHERE false)`
  }
  const partitioned = new Set(snapshot.partitionColumns)
  const read = options.hasSchemaChanged ? ', union_by_name = true' : ''
  const groups = files.every((file) => isHive(file, snapshot.partitionColumns))
    ? [{ files, values: null }]
    : byPartition(files, snapshot.partitionColumns)
  const selects = groups.map((group) => {
    const list = group.files.map((file) => sqlText(resolve(decodeURIComponent(file.path)))).join(', ')
    const columns = fields.map((field) =>
      partitioned.has(field.name) && group.values !== null
        ? partitionLiteral(field, group.values[field.name] ?? null)
        : `CAST(${sqlName(field.name)} AS ${sqlType(field.type)}) AS ${sqlName(field.name)}`,
    )
    return `SELECT ${columns.join(', ')} FROM read_parquet([${list}]${hiveOptions(fields, group.values === null ? partitioned : new Set())}${read})`
  })
  return `(${selects.join(' UNION ALL ')})`
}

function hiveOptions(fields: readonly StructField[], partitioned: ReadonlySet<string>): string {
  const types = fields
    .filter((field) => partitioned.has(field.name))
    .map(({ name, type }) => `${sqlText(name)}: ${sqlType(type)}`)
  return types.length === 0
    ? ', hive_partitioning = false'
    : `, hive_partitioning = true, hive_types = {${types.join(', ')}}`
}

/** True when the path alone tells the partition, so that the engine can read and prune by it. */
function isHive(file: AddFile, partitionColumns: readonly string[]): boolean {
  const folders = decodeURIComponent(file.path).split('/').slice(0, -1)
  return (
    folders.length === partitionColumns.length &&
    partitionColumns.every((name, i) => {
      const value = file.partitionValues[name]
      return (
        value !== null && value !== undefined && /^[\w.-]+$/.test(value) && folders[i] === `${name}=${value}`
      )
    })
  )
}

function byPartition(files: readonly AddFile[], partitionColumns: readonly string[]) {
  const groups = new Map<string, { files: AddFile[]; values: Readonly<Record<string, string | null>> }>()
  for (const file of files) {
    const key = JSON.stringify(partitionColumns.map((name) => file.partitionValues[name] ?? null))
    const group = groups.get(key) ?? { files: [], values: file.partitionValues }
    group.files.push(file)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** Protocol, "Partition Value Serialization": an empty string is null. */
function partitionLiteral({ name, type }: StructField, value: string | null): string {
  const literal = value === null || value === '' ? 'NULL' : sqlText(value)
  return `CAST(${literal} AS ${sqlType(type)}) AS ${sqlName(name)}`
}
