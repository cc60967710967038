import type { SqlParam } from '../lake-sql.ts'
import type { TrinoColumn, TrinoType } from './trino-client.ts'

/** A value as the query port gives it: JSON as what it says, lists of it too, anything else as Trino's own JSON has it. */
export function plainValue(column: TrinoColumn | undefined, value: unknown): unknown {
  return column === undefined ? value : plain(column.typeSignature, value)
}

function plain({ rawType, arguments: parts }: TrinoType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (rawType === 'json') return JSON.parse(value as string)
  const [item] = parts
  if (rawType === 'array' && item?.kind === 'TYPE')
    return (value as readonly unknown[]).map((one) => plain(item.value, one))
  return value
}

/** A value as SQL. */
export function literal(value: SqlParam): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : `DOUBLE '${value}'`
  return `'${value.replaceAll("'", "''")}'`
}
