import type { IdTable, Purchases } from '@arus/recommenders'
import type { Lake } from '../lake/lake.ts'

/** Newest purchases that baskets are made of. */
const PURCHASES_MAX = 1_000_000

/**
 * The newest purchases of known products in `silver.events`. What was bought with one order id is one order; without it, what was bought
 * in one session.
 */
export async function readPurchases(
  lake: Lake,
  products: IdTable,
  purchasesMax: number = PURCHASES_MAX,
): Promise<Purchases> {
  const { sql } = await lake.relation('silver.events')
  const columns: [number[], number[], number[], number[]] = [[], [], [], []]
  const [users, orders, items, timesMs] = columns
  const connection = await lake.duckdb.connect()
  try {
    const result = await connection.stream(newestPurchases(sql, purchasesMax))
    for await (const chunk of result) {
      const [user = [], order = [], product = [], time = []] = chunk.getColumns()
      for (let n = 0; n < user.length; n++) {
        const item = products.indexOf(String(product[n]))
        if (item < 0) continue
        users.push(Number(user[n]))
        orders.push(Number(order[n]))
        items.push(item)
        timesMs.push(Number(time[n]))
      }
    }
  } finally {
    connection.closeSync()
  }
  return {
    userCount: users.reduce((most, user) => Math.max(most, user + 1), 0),
    itemCount: products.size,
    users: Uint32Array.from(users),
    items: Uint32Array.from(items),
    timesMs: Float64Array.from(timesMs),
    orders: Uint32Array.from(orders),
  }
}

/** Shoppers and orders numbered by DuckDB; of shops whose order ids begin anew, a shopper's. */
function newestPurchases(sql: string, purchasesMax: number): string {
  return `SELECT (dense_rank() OVER (ORDER BY shopper) - 1)::INTEGER,
      (dense_rank() OVER (ORDER BY shopper, order_id, CASE WHEN order_id IS NULL THEN session END) - 1)::INTEGER,
      product_id, epoch_ms(ts)::DOUBLE
    FROM (SELECT shopper, order_id, session, product_id, ts, log_partition, log_offset FROM ${sql}
      WHERE product_id IS NOT NULL AND action = 'purchase' ORDER BY ts DESC LIMIT ${purchasesMax})
    ORDER BY ts, log_partition, log_offset`
}
