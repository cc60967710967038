import type { SqlDialect } from '../query/sql-dialect.ts'

/** Longest value a group is named by, characters: senders choose the values. */
const VALUE_LENGTH_MAX = 200

/** What events are told apart by: `category` is the product's, any other name a key of what the sender gave. */
export interface EventProperty {
  /** SQL of the value as text, null where an event has none, over a row of `silver.events`. */
  readonly sql: string
  /** What the placeholder in `sql` stands for; none for a column. */
  readonly params: readonly string[]
}

/** SQL of a property; `place` is the number of its placeholder. */
export function eventProperty(dialect: SqlDialect, name: string, place: number): EventProperty {
  if (name === 'category') return { sql: 'category', params: [] }
  const { sql, param } = dialect.property('properties', name, place)
  return { sql: `substr(${sql}, 1, ${VALUE_LENGTH_MAX})`, params: [param] }
}
