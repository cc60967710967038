import { modifiersOf, orderOf, type SyntaxNode } from './syntax-tree.ts'

/** Rows wanted of an ordered query. */
export interface PageOfRows {
  readonly offset: number
  readonly rowLimit: number
  readonly columnCount: number
}

/** Makes a table node read the view `viewName` of its schema, under the name it had. */
export function readView(node: SyntaxNode, viewName: string): void {
  if (node.alias === '' || node.alias === undefined) node.alias = node.table_name
  node.table_name = viewName
  node.at_clause = null
}

/**
 * Makes the order of an ordered query total, by its columns from the first to the last, so that equal rows cannot change
 * places from page to page; and asks for one page, and a row more, which tells whether there are more.
 */
export function askForPage(root: SyntaxNode, { offset, rowLimit, columnCount }: PageOfRows): void {
  breakTies(root, columnCount)
  const own = limitOf(root)
  const most = Math.min(rowLimit + 1, Math.max(0, (own?.limit ?? Number.MAX_SAFE_INTEGER) - offset))
  const modifiers = modifiersOf(root).filter((modifier) => !isLimit(modifier))
  modifiers.push({
    type: 'LIMIT_MODIFIER',
    limit: integer(most),
    offset: integer((own?.offset ?? 0) + offset),
  })
  root.modifiers = modifiers
}

/** True when pages of the query can follow one another: it is ordered, and its LIMIT, if any, is of plain numbers. */
export function canBePaged(root: SyntaxNode): boolean {
  const hasLimit = modifiersOf(root).some(isLimit)
  return orderOf(root) !== null && (!hasLimit || limitOf(root) !== null)
}

function breakTies(root: SyntaxNode, columnCount: number): void {
  const orders = (orderOf(root)?.orders ?? []) as SyntaxNode[]
  const isByAll = orders.some(({ expression }) => (expression as SyntaxNode | null)?.class === 'STAR')
  for (let place = 1; place <= columnCount && !isByAll; place++) {
    orders.push({ type: 'ORDER_DEFAULT', null_order: 'ORDER_DEFAULT', expression: integer(place) })
  }
}

function isLimit({ type }: SyntaxNode): boolean {
  return /^LIMIT/.test(String(type))
}

/** LIMIT and OFFSET of the outermost query; null when it has none, or not of plain numbers. */
function limitOf(root: SyntaxNode): { readonly limit: number; readonly offset: number } | null {
  const modifier = modifiersOf(root).find(isLimit)
  if (modifier?.type !== 'LIMIT_MODIFIER') return null
  const limit = modifier.limit ? numberOf(modifier.limit) : Number.MAX_SAFE_INTEGER
  const offset = modifier.offset ? numberOf(modifier.offset) : 0
  return limit === null || offset === null ? null : { limit, offset }
}

function numberOf(expression: unknown): number | null {
  const { class: kind, value } = expression as SyntaxNode
  const number = kind === 'CONSTANT' ? (value as { readonly value?: unknown } | null)?.value : null
  return Number.isSafeInteger(number) ? Number(number) : null
}

function integer(value: number): SyntaxNode {
  return {
    class: 'CONSTANT',
    type: 'VALUE_CONSTANT',
    alias: '',
    query_location: 0,
    value: { type: { id: 'BIGINT', type_info: null }, is_null: false, value },
  }
}
