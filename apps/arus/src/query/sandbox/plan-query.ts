import { ArusError } from '../../errors.ts'
import type { SqlPlan, TableMoment, TableUse } from './protocol.ts'
import { canBePaged } from './rewrite-query.ts'
import { isTableFunctionAllowed, refusalOfFunction, UNREPEATABLE } from './sql-functions.ts'
import { nodesOf, type SyntaxNode } from './syntax-tree.ts'

/** What was found in a tree; `uses[i]` are the nodes that stand for `plan.tables[i]`. */
export interface PlannedQuery {
  readonly plan: SqlPlan
  readonly uses: readonly (readonly SyntaxNode[])[]
}

const SCHEMAS: ReadonlySet<unknown> = new Set(['bronze', 'silver', 'gold'])
const QUERY_NODES: ReadonlySet<unknown> = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'RECURSIVE_CTE_NODE',
  'CTE_NODE',
])
const TABLE_NODES: ReadonlySet<unknown> = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EXPRESSION_LIST',
  'EMPTY',
  'PIVOT',
  'SHOW_REF',
])
/** Views of DuckDB itself, which a CTE's name must not lead to. */
const SYSTEM_NAME = /^(duckdb_|pragma_|pg_|sqlite_|information_schema)/

/**
 * Checks a syntax tree and says what it reads. Only what is known to be harmless passes: query and table nodes by a list,
 * tables of the lake and CTEs by name, table functions by a list, other functions unless they look outside.
 * Throws `QUERY_INVALID`, `TABLE_UNKNOWN`.
 */
export function planQuery(root: SyntaxNode): PlannedQuery {
  const nodes = [...nodesOf(root)]
  const ctes = new Set(nodes.flatMap(cteNames))
  for (const node of nodes) assertHarmless(node)
  const found = new Map<string, { use: TableUse; nodes: SyntaxNode[] }>()
  for (const node of nodes) {
    const use = tableUse(node, ctes)
    if (use === null) continue
    const key = JSON.stringify(use)
    const known = found.get(key) ?? { use, nodes: [] }
    known.nodes.push(node)
    found.set(key, known)
  }
  const tables = [...found.values()]
  return {
    plan: {
      tables: tables.map(({ use }) => use),
      canBePaged: canBePaged(root),
      unrepeatable: [...new Set(nodes.flatMap(unrepeatableOf))],
    },
    uses: tables.map((table) => table.nodes),
  }
}

function cteNames({ cte_map, type, cte_name }: SyntaxNode): string[] {
  const map = (cte_map as { readonly map?: readonly { readonly key: string }[] } | undefined)?.map ?? []
  const names = [...map.map(({ key }) => key), ...(type === 'RECURSIVE_CTE_NODE' ? [String(cte_name)] : [])]
  return names.map((name) => name.toLowerCase())
}

function assertHarmless(node: SyntaxNode): void {
  const type = String(node.type)
  if (/_NODE$/.test(type) && !QUERY_NODES.has(type)) throw invalid(`A query may not hold ${type} here`)
  const isTable = 'sample' in node && !('class' in node) && !/_NODE$/.test(type)
  if (isTable && !TABLE_NODES.has(type)) throw invalid(`A query may not read from ${type}`)
  if (type === 'SHOW_REF' && (node.query ?? null) === null) {
    throw invalid('SHOW is not possible here; GET /tables and "arus tables" list the tables')
  }
  if (typeof node.function_name === 'string') {
    const refusal = refusalOfFunction(node.function_name.toLowerCase())
    if (refusal !== null) throw invalid(refusal)
  }
  if (type === 'TABLE_FUNCTION') assertTableFunction(node.function as SyntaxNode | null)
}

function assertTableFunction(call: SyntaxNode | null): void {
  const name = String(call?.function_name).toLowerCase()
  if (isTableFunctionAllowed(name)) return
  throw invalid(
    `${name}() is not available: a query reads the tables of the lake, not files, settings or other queries`,
  )
}

/** The table of the lake a node names; null for nodes that name none. */
function tableUse(node: SyntaxNode, ctes: ReadonlySet<string>): TableUse | null {
  if (node.type !== 'BASE_TABLE' || 'class' in node) return null
  const table = String(node.table_name).toLowerCase()
  const schema = String(node.schema_name ?? '').toLowerCase()
  const catalogue = String(node.catalog_name ?? '')
  const at = (node.at_clause ?? null) as SyntaxNode | null
  if (schema === '' && ctes.has(table) && !SYSTEM_NAME.test(table)) {
    if (at === null) return null
    throw invalid(`"${table}" is part of the query, so it has no versions to choose by AT`)
  }
  const name = [catalogue, schema, table].filter((part) => part !== '').join('.')
  if (catalogue !== '' || !SCHEMAS.has(schema)) {
    throw new ArusError('TABLE_UNKNOWN', `No table is called "${name.slice(0, 200)}"`)
  }
  return { name, at: at === null ? null : momentOf(at) }
}

/** Value of an AT clause, which must be known before anything runs: a constant or a cast of one. */
function momentOf(at: SyntaxNode): TableMoment {
  const value = constantOf(at.expr as SyntaxNode | null)
  if (String(at.unit).toUpperCase() === 'TIMESTAMP') {
    if (typeof value === 'string') return { timestamp: value }
    throw invalid(`AT (TIMESTAMP => …) takes a text such as '2026-01-31T10:00:00Z'`)
  }
  const version = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (Number.isSafeInteger(version) && Number(version) >= 0) return { version: Number(version) }
  throw invalid('AT (VERSION => …) takes a whole number from 0')
}

function constantOf(expression: SyntaxNode | null): unknown {
  if (expression?.class === 'CAST') return constantOf(expression.child as SyntaxNode | null)
  if (expression?.class !== 'CONSTANT') throw invalid('AT takes a constant or a parameter')
  return (expression.value as { readonly value?: unknown } | null)?.value
}

function unrepeatableOf(node: SyntaxNode): string[] {
  const name = typeof node.function_name === 'string' ? node.function_name.toLowerCase() : ''
  if (UNREPEATABLE.has(name)) return [`${name}()`]
  const isSampled = 'sample' in node && typeof node.sample === 'object' && node.sample !== null
  return isSampled ? ['a sample'] : []
}

function invalid(message: string): ArusError {
  return new ArusError('QUERY_INVALID', message)
}
