import { IdTable, type Interactions, type ItemFeatures, type ItemGroups } from '@arus/recommenders'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from '../lake/lake.ts'
import { readProductRows } from './read-product-rows.ts'

/** What a model is trained from, with the versions of the tables it came from. */
export interface TrainingData {
  readonly products: IdTable
  readonly interactions: Interactions
  readonly features: ItemFeatures
  /** Categories of the products. */
  readonly groups: ItemGroups
  readonly tableVersions: Readonly<Record<string, number>>
}

/** Fewer say nothing about anybody. */
const INTERACTIONS_MIN = 100
const FEATURE_COUNT = 1 << 18

/** Reads silver in column chunks. Throws `TRAINING_NO_DATA`. */
export async function readTrainingData(lake: Lake): Promise<TrainingData> {
  const interactions = await lake.relation('silver.interactions')
  const products = await lake.relation('silver.products')
  const connection = await lake.duckdb.connect()
  try {
    const ids = await productIds(connection, interactions.sql)
    const data = await readInteractions(connection, interactions.sql, ids)
    return {
      products: ids,
      interactions: data,
      ...(await readFeatures(connection, products.sql, ids)),
      tableVersions: { 'silver.interactions': interactions.version, 'silver.products': products.version },
    }
  } finally {
    connection.closeSync()
  }
}

async function productIds(connection: DuckDBConnection, sql: string): Promise<IdTable> {
  const reader = await connection.runAndReadAll(`SELECT DISTINCT product_id FROM ${sql}`)
  return IdTable.of(reader.getColumns()[0]?.map(String) ?? [])
}

/** Users are numbered by DuckDB, products by their place in the table of ids. */
async function readInteractions(
  connection: DuckDBConnection,
  sql: string,
  ids: IdTable,
): Promise<Interactions> {
  const rows = await readProductRows(
    connection,
    `SELECT product_id, (dense_rank() OVER (ORDER BY shopper) - 1)::INTEGER, weight::DOUBLE, epoch_ms(ts)::DOUBLE FROM ${sql} ORDER BY ts, shopper, product_id`,
    { products: ids, count: 3 },
  )
  const [users = [], weights = [], timesMs = []] = rows.numbers
  if (users.length < INTERACTIONS_MIN) {
    throw new ArusError(
      'TRAINING_NO_DATA',
      `${users.length} interactions are in silver.interactions, at least ${INTERACTIONS_MIN} are needed: send events ("arus generate", "arus replay", your shop), wait a few seconds, train again`,
    )
  }
  return {
    userCount: users.reduce((most, user) => Math.max(most, user + 1), 0),
    itemCount: ids.size,
    users: Uint32Array.from(users),
    items: Uint32Array.from(rows.items),
    weights: Float32Array.from(weights),
    timesMs: Float64Array.from(timesMs),
  }
}

/** Words of the title, the category and a price band (a third of a decade wide), hashed. */
async function readFeatures(
  connection: DuckDBConnection,
  sql: string,
  ids: IdTable,
): Promise<{ readonly features: ItemFeatures; readonly groups: ItemGroups }> {
  const result = await connection.stream(
    `SELECT product_id, lower(title), category_id, floor(3 * log10(greatest(price, 0.01)))::INTEGER FROM ${sql}
     WHERE product_id IN (SELECT unnest(?))`.replace(
      '(SELECT unnest(?))',
      `(SELECT product_id FROM (VALUES ${values(ids)}) v(product_id))`,
    ),
  )
  const items: number[] = []
  const features: number[] = []
  const groups = new Int32Array(ids.size).fill(-1)
  const groupOf = new Map<number, number>()
  for await (const chunk of result) {
    const [idColumn = [], titleColumn = [], categoryColumn = [], priceColumn = []] = chunk.getColumns()
    for (const [n, id] of idColumn.entries()) {
      const item = ids.indexOf(String(id))
      const words = new Set(String(titleColumn[n]).match(/[\p{L}\p{N}]{2,}/gu))
      for (const word of [...words].slice(0, 40)) add(item, word)
      add(item, `category ${categoryColumn[n]}`)
      if (categoryColumn[n] !== null) {
        const category = Number(categoryColumn[n])
        if (!groupOf.has(category)) groupOf.set(category, groupOf.size)
        groups[item] = groupOf.get(category)!
      }
      if (priceColumn[n] !== null) add(item, `price ${priceColumn[n]}`)
    }
  }
  function add(item: number, text: string): void {
    items.push(item)
    features.push(hash(text) % FEATURE_COUNT)
  }
  return {
    features: {
      itemCount: ids.size,
      featureCount: FEATURE_COUNT,
      items: Uint32Array.from(items),
      features: Uint32Array.from(features),
    },
    groups: { groupCount: groupOf.size, groups },
  }
}

function values(ids: IdTable): string {
  return (
    Array.from({ length: ids.size }, (_, n) => `('${ids.idOf(n).replaceAll("'", "''")}')`).join(', ') ||
    "('')"
  )
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193)
  return value >>> 0
}
