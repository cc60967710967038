import type { IdTable } from '@arus/recommenders'
import type { DuckDBConnection } from '@duckdb/node-api'

/** Columns of rows that are each about a product. */
export interface ProductRows {
  /** Places of the products in the table of ids. */
  readonly items: readonly number[]
  /** The other columns. */
  readonly numbers: readonly (readonly number[])[]
}

/** The rows of a SELECT whose first column is a product's id, and whose `count` others are numbers; those of unknown products are left out. */
export async function readProductRows(
  connection: DuckDBConnection,
  sql: string,
  { products, count }: { readonly products: IdTable; readonly count: number },
): Promise<ProductRows> {
  const items: number[] = []
  const numbers: number[][] = Array.from({ length: count }, () => [])
  for await (const chunk of await connection.stream(sql)) {
    const [ids = [], ...columns] = chunk.getColumns()
    for (let n = 0; n < ids.length; n++) {
      const item = products.indexOf(String(ids[n]))
      if (item < 0) continue
      items.push(item)
      for (let column = 0; column < count; column++) numbers[column]!.push(Number(columns[column]![n]))
    }
  }
  return { items, numbers }
}
