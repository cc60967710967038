/** A node of DuckDB's syntax tree, as `json_serialize_sql` writes it. */
export type SyntaxNode = Record<string, unknown>

/** The ORDER BY of the outermost query; null when it has none. */
export function orderOf(root: SyntaxNode): SyntaxNode | null {
  const order = modifiersOf(root).find(({ type }) => type === 'ORDER_MODIFIER')
  return Array.isArray(order?.orders) && order.orders.length > 0 ? order : null
}

/** LIMIT, ORDER BY and DISTINCT of the outermost query. */
export function modifiersOf({ modifiers }: SyntaxNode): SyntaxNode[] {
  return Array.isArray(modifiers) ? (modifiers as SyntaxNode[]) : []
}

/** Every object of a tree, parents first; without recursion, since its depth is the asker's. */
export function* nodesOf(root: SyntaxNode): Generator<SyntaxNode> {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value)) yield value as SyntaxNode
    for (const child of Object.values(value).reverse()) if (typeof child === 'object') open.push(child)
  }
}
