import type { Metadata } from './actions.ts'
import { DeltaError } from './errors.ts'
import type { StructField, StructType } from './schema.ts'

/** A condition every row must satisfy: text of SQL that is true for it, neither false nor null. */
export interface Constraint {
  /** For messages. */
  readonly name: string
  readonly sql: string
}

const CHECK = 'delta.constraints.'

/**
 * What rows written must satisfy: NOT NULL columns, invariants (Protocol, "Column Invariants") and CHECK constraints
 * (Protocol, "CHECK Constraints"), which the log holds in Spark's SQL.
 */
export function constraintsOf(
  schema: StructType,
  metadata: Metadata,
  quoteName: (name: string) => string,
): Constraint[] {
  const required = schema.fields.filter((field) => !field.nullable)
  const checks = Object.entries(metadata.configuration).filter(([name]) =>
    name.toLowerCase().startsWith(CHECK),
  )
  return [
    ...required.map(({ name }) => ({ name: `NOT NULL of ${name}`, sql: `${quoteName(name)} IS NOT NULL` })),
    ...schema.fields.flatMap(invariantOf),
    ...checks.map(([name, sql]) => ({ name: `CHECK ${name.slice(CHECK.length)}`, sql: fromSparkSql(sql) })),
  ]
}

function invariantOf(field: StructField): Constraint[] {
  const text = field.metadata['delta.invariants']
  if (typeof text !== 'string') return []
  const value = parsed(text, field)
  return [{ name: `invariant of ${field.name}`, sql: fromSparkSql(value) }]
}

function parsed(text: string, field: StructField): string {
  try {
    const value = JSON.parse(text) as { readonly expression?: { readonly expression?: unknown } }
    if (typeof value.expression?.expression === 'string') return value.expression.expression
  } catch (error) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', `The invariant of ${field.name} is not JSON: ${text}`, error)
  }
  throw new DeltaError('DELTA_SCHEMA_INVALID', `The invariant of ${field.name} holds no expression: ${text}`)
}

/** Spark quotes names with backticks, and text with double quotes too; standard SQL has double quotes for names. */
export function fromSparkSql(sql: string): string {
  return sql.replace(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`/g, (quoted) => {
    const inner = quoted.slice(1, -1)
    if (quoted.startsWith('`')) return `"${inner.replaceAll('``', '`').replaceAll('"', '""')}"`
    const text = inner.replace(/\\(.)/g, '$1').replaceAll(quoted[0] === '"' ? '""' : "''", quoted[0] ?? '')
    return `'${text.replaceAll("'", "''")}'`
  })
}
