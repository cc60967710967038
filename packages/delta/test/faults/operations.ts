import type { DeltaTable } from '../../src/index.ts'
import { seededRandom } from '../fault-plan.ts'

/** What a writer does to a table; the last three leave its rows as they are, and the last two commit nothing. */
export const OPERATIONS = [
  'append',
  'overwrite',
  'delete',
  'update',
  'merge',
  'optimize',
  'checkpoint',
  'vacuum',
] as const

export type OperationName = (typeof OPERATIONS)[number]

/** One operation of a history. No other of the history has its index. */
export interface Operation {
  readonly name: OperationName
  readonly index: number
  /** Which of the rows are deleted or updated. */
  readonly remainder: number
}

/** Values by id: what a table of `id` and `value` holds. */
export type Model = ReadonlyMap<number, number>

const IDS_PER_OPERATION = 20
const ROWS = 10
/** Every so many rows are deleted. */
const DELETED = 5
const UPDATED = 3
/** How far a merge reaches back into rows that may be there. */
const MERGED_BEFORE = 30

/** The operation of that index in the history of a seed. */
export function operationAt(seed: number, index: number): Operation {
  const random = seededRandom(seed * 1_000_003 + index)
  const name = OPERATIONS[Math.floor(random() * OPERATIONS.length)] ?? 'append'
  return { name, index, remainder: Math.floor(random() * UPDATED) }
}

/** Resolves once it is acknowledged, with the table's version as it was told then. */
export async function carryOut(table: DeltaTable, operation: Operation): Promise<number> {
  const { name, index, remainder } = operation
  const { first, end } = newIds(operation)
  const rowsFrom = (id: number) =>
    `SELECT i::BIGINT AS id, ${index}::BIGINT AS value FROM range(${id}, ${end}) t(i)`
  switch (name) {
    case 'append':
      return (await table.append(rowsFrom(first))).version
    case 'overwrite':
      return (await table.overwrite(rowsFrom(first))).version
    case 'delete':
      return (await table.delete(`id % ${DELETED} = ${remainder}`)).version
    case 'update': {
      const where = `id % ${UPDATED} = ${remainder}`
      return (await table.update({ set: { value: 'value + 1' }, where })).version
    }
    case 'merge': {
      const merged = await table.merge({
        source: rowsFrom(mergedFrom(first)),
        on: 'target.id = source.id',
        whenMatched: [{ update: { value: 'source.value' } }],
        whenNotMatched: [{ insert: 'all' }],
      })
      return merged.version
    }
    case 'optimize':
      return (await table.optimize()).version
    case 'checkpoint': {
      const snapshot = await table.snapshot()
      await table.checkpoint(snapshot)
      return snapshot.version
    }
    case 'vacuum':
      await table.vacuum({ retentionMs: 0, isForced: true })
      return table.known.version
  }
}

/** The rows after an operation on a table with these. */
export function applied(model: Model, operation: Operation): Model {
  const { name, index, remainder } = operation
  const { first, end } = newIds(operation)
  const rowsFrom = (id: number) => Array.from({ length: end - id }, (_, i) => [id + i, index] as const)
  switch (name) {
    case 'append':
      return new Map([...model, ...rowsFrom(first)])
    case 'overwrite':
      return new Map(rowsFrom(first))
    case 'delete':
      return new Map([...model].filter(([id]) => id % DELETED !== remainder))
    case 'update':
      return new Map(
        [...model].map(([id, value]) => [id, id % UPDATED === remainder ? value + 1 : value] as const),
      )
    case 'merge':
      return new Map([...model, ...rowsFrom(mergedFrom(first))])
    default:
      return model
  }
}

/** Ids that no operation before used. */
function newIds({ index }: Operation): { readonly first: number; readonly end: number } {
  const first = index * IDS_PER_OPERATION
  return { first, end: first + ROWS }
}

function mergedFrom(first: number): number {
  return Math.max(0, first - MERGED_BEFORE)
}

/** What a table holds. */
export async function contentOf(table: DeltaTable): Promise<Model> {
  const rows = await table.rows('SELECT id, value FROM {table}')
  return new Map(rows.map(({ id, value }) => [Number(id), Number(value)]))
}

/** How two contents differ, in words; null when they do not. */
export function difference(found: Model, expected: Model): string | null {
  const ids = [...new Set([...found.keys(), ...expected.keys()])].filter(
    (id) => found.get(id) !== expected.get(id),
  )
  if (ids.length === 0) return null
  const some = ids.slice(0, 5).map((id) => `${id}: ${found.get(id)} in place of ${expected.get(id)}`)
  return `${ids.length} rows differ (${some.join(', ')})`
}
