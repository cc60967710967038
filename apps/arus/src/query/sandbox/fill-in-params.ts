import { ArusError } from '../../errors.ts'
import type { SqlParam, SqlParams } from '../lake-sql.ts'
import { nodesOf, type SyntaxNode } from './syntax-tree.ts'

const INT32_MAX = 2 ** 31 - 1

/**
 * Puts the values of the parameters into a tree, as constants of their types: then every type is known before anything
 * runs. What is missing or too many is told by name. Throws `QUERY_INVALID`.
 */
export function fillInParams(root: SyntaxNode, params: SqlParams): void {
  const given = new Map<string, SqlParam>(
    isList(params) ? params.map((value, i) => [String(i + 1), value]) : Object.entries(params),
  )
  const places = [...nodesOf(root)].filter((node) => node.class === 'PARAMETER')
  const wanted = new Set(places.map(({ identifier }) => String(identifier)))
  const wrong = [
    ...[...wanted].filter((name) => !given.has(name)).map((name) => `$${name} has no value`),
    ...[...given.keys()].filter((name) => !wanted.has(name)).map((name) => `$${name} is not in the query`),
  ]
  if (wrong.length > 0) throw new ArusError('QUERY_INVALID', `Parameters: ${wrong.slice(0, 10).join(', ')}`)
  for (const node of places) replaceBy(node, constantOf(given.get(String(node.identifier)) ?? null))
}

/**
 * Makes constants of type DOUBLE say so. The tree has the type, but its text would have `10000000000.0` for `1e10`, which
 * is a DECIMAL when it is read again.
 */
export function keepDoubles(root: SyntaxNode): void {
  for (const node of nodesOf(root)) {
    if (node.class !== 'CONSTANT') continue
    const { type, value } = node.value as {
      readonly type?: { readonly id?: unknown }
      readonly value?: unknown
    }
    if (type?.id === 'DOUBLE') replaceBy(node, cast(constant('VARCHAR', textOf(value)), 'DOUBLE'))
  }
}

function isList(params: SqlParams): params is readonly SqlParam[] {
  return Array.isArray(params)
}

/** In place, since the tree's parents do not know. The alias stays. */
function replaceBy(node: SyntaxNode, other: SyntaxNode): void {
  const { alias = '' } = node
  for (const key of Object.keys(node)) delete node[key]
  Object.assign(node, other, { alias })
}

function constantOf(value: SqlParam): SyntaxNode {
  if (value === null) return constant('NULL', null)
  if (typeof value === 'boolean') return constant('BOOLEAN', value)
  if (typeof value === 'string') return constant('VARCHAR', value)
  if (!Number.isSafeInteger(value)) return cast(constant('VARCHAR', String(value)), 'DOUBLE')
  return constant(Math.abs(value) <= INT32_MAX ? 'INTEGER' : 'BIGINT', value)
}

function constant(id: string, value: SqlParam): SyntaxNode {
  return {
    class: 'CONSTANT',
    type: 'VALUE_CONSTANT',
    alias: '',
    query_location: 0,
    value: { type: { id, type_info: null }, is_null: value === null, ...(value === null ? {} : { value }) },
  }
}

function cast(child: SyntaxNode, id: string): SyntaxNode {
  return {
    class: 'CAST',
    type: 'OPERATOR_CAST',
    alias: '',
    query_location: 0,
    child,
    cast_type: { id, type_info: null },
    try_cast: false,
  }
}

/** The number as it was written; `JSON.rawJSON` holds it as text. */
function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
