import { ArusError } from '../../errors.ts'
import type { TableDefinition } from '../table-definition.ts'
import { TABLE_NAMES, type TableName } from '../table-names.ts'
import { BRONZE } from './bronze.ts'
import { GOLD } from './gold.ts'
import { SILVER } from './silver.ts'

/** Every table of the lake. */
export const TABLES: readonly TableDefinition[] = [...BRONZE, ...SILVER, ...GOLD]

export function definitionOf(name: TableName): TableDefinition {
  const definition = TABLES.find((table) => table.name === name)
  if (definition !== undefined) return definition
  throw new ArusError('TABLE_UNKNOWN', `No table is called ${name}`)
}

/** The name, when it is one of the lake's tables. Throws `TABLE_UNKNOWN` with the list. */
export function tableName(text: string): TableName {
  const name = TABLE_NAMES.find((candidate) => candidate === text.toLowerCase())
  if (name !== undefined) return name
  throw new ArusError('TABLE_UNKNOWN', `No table is called "${text}"; there are ${TABLE_NAMES.join(', ')}`)
}
