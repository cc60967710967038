import type { IdTable, Purchases } from '@arus/recommenders'
import type { Lake } from '../lake/lake.ts'
import { readProductRows } from './read-product-rows.ts'

/** Newest purchases that baskets are made of. */
const PURCHASES_MAX = 1_000_000

/**
 * The newest purchases of known products in a version of `silver.events`. What was bought with one order id is one order; without it, what
 * was bought in one session.
 */
export async function readPurchases(
  lake: Lake,
  products: IdTable,
  {
    version,
    purchasesMax = PURCHASES_MAX,
  }: { readonly version?: number; readonly purchasesMax?: number } = {},
): Promise<Purchases> {
  const { sql } = await lake.relation('silver.events', version)
  const connection = await lake.duckdb.connect()
  try {
    const rows = await readProductRows(connection, newestPurchases(sql, purchasesMax), { products, count: 3 })
    const [users = [], orders = [], timesMs = []] = rows.numbers
    return {
      userCount: users.reduce((most, user) => Math.max(most, user + 1), 0),
      itemCount: products.size,
      users: Uint32Array.from(users),
      items: Uint32Array.from(rows.items),
      timesMs: Float64Array.from(timesMs),
      orders: Uint32Array.from(orders),
    }
  } finally {
    connection.closeSync()
  }
}

/** Shoppers and orders numbered by DuckDB; of shops whose order ids begin anew, a shopper's. */
function newestPurchases(sql: string, purchasesMax: number): string {
  return `SELECT product_id, (dense_rank() OVER (ORDER BY shopper) - 1)::INTEGER,
      (dense_rank() OVER (ORDER BY shopper, order_id, CASE WHEN order_id IS NULL THEN session END) - 1)::INTEGER, epoch_ms(ts)::DOUBLE
    FROM (SELECT shopper, order_id, session, product_id, ts, log_partition, log_offset FROM ${sql}
      WHERE product_id IS NOT NULL AND action = 'purchase' ORDER BY ts DESC LIMIT ${purchasesMax})
    ORDER BY ts, log_partition, log_offset`
}
