import { ArusError } from '../errors.ts'
import { TABLE_NAMES, type TableName } from '../lake/table-names.ts'

const NAME = /\b(bronze|silver|gold)\s*\.\s*"?([a-z_]+)"?/gi

/**
 * Tables that a text names. A name that only stands in a string is found too. Throws `TABLE_UNKNOWN` when none of those it names
 * is there.
 */
export function tablesIn(sql: string): TableName[] {
  const found = new Set(
    [...sql.matchAll(NAME)].map(([, schema = '', table = '']) => `${schema}.${table}`.toLowerCase()),
  )
  const unknown = [...found].filter((name) => !isTable(name))
  if (unknown.length > 0 && found.size === unknown.length) {
    throw new ArusError(
      'TABLE_UNKNOWN',
      `No table is called ${unknown.join(', ')}; there are ${TABLE_NAMES.join(', ')}`,
    )
  }
  return TABLE_NAMES.filter((name) => found.has(name))
}

/** The text with `written` in the place of each table's name. */
export function withTables(sql: string, written: (name: TableName) => string): string {
  return sql.replace(NAME, (text, schema: string, table: string) => {
    const name = `${schema}.${table}`.toLowerCase()
    return isTable(name) ? written(name) : text
  })
}

function isTable(name: string): name is TableName {
  return TABLE_NAMES.some((known) => known === name)
}
