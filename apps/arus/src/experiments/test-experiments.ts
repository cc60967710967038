/** A registry with small models and a store of experiments, in a database of their own, for tests. */
import { join } from 'node:path'
import { fitPopular, fitWalk, IdTable, type Interactions } from '@arus/recommenders'
import { openTestDatabase } from '../database/test-database.ts'
import { ErasureStore } from '../erasure/erasure-store.ts'
import { openRegistry } from '../registry/lake-registry.ts'
import type { ModelVersion, Registry } from '../registry/registry.ts'
import { bundleFile } from '../training/model-bundle.ts'
import { ExperimentStore } from './experiment-store.ts'

/** Users of a small model who do the same. */
const USERS_EACH = 5

/**
 * Registers a version whose walk leads from each key to its products, the first most strongly. `products` are known to it besides.
 */
export function registerModel(
  registry: Registry,
  goesWith: Readonly<Record<string, readonly string[]>>,
  trained_at = 0,
): Promise<ModelVersion> {
  const products = IdTable.of(Object.entries(goesWith).flatMap(([from, to]) => [from, ...to]))
  const rows = Object.entries(goesWith).flatMap(([from, to], i) =>
    Array.from({ length: USERS_EACH * to.length }, (_, n) => ({
      user: i * 1_000 + n,
      // The first of the list is there for all of the users, the next for fewer.
      items: [from, ...to.slice(0, 1 + Math.floor(n / USERS_EACH))],
    })),
  )
  const each = rows.flatMap(({ items }, user) => items.map((id) => ({ user, item: products.indexOf(id) })))
  const interactions: Interactions = {
    userCount: rows.length,
    itemCount: products.size,
    users: Uint32Array.from(each, ({ user }) => user),
    items: Uint32Array.from(each, ({ item }) => item),
    weights: new Float32Array(each.length).fill(1),
    timesMs: new Float64Array(each.length),
  }
  const models = new Map([
    ['popular', fitPopular(interactions).file()],
    ['walk', fitWalk(interactions).file()],
  ])
  const facts = { user_count: rows.length, product_count: products.size, interaction_count: each.length }
  return registry.register(
    { kind: 'walk', metrics: {}, params: {}, table_versions: {}, ...facts, trained_at, reason: 'for a test' },
    bundleFile({ chosen: 'walk', products, models, session: null, cart: null }),
  )
}

export async function openTestExperiments(now: () => number = Date.now) {
  const under = await openTestDatabase()
  const database = await under.open()
  return {
    database,
    modelsFolder: join(under.folder, 'models'),
    registry: openRegistry({ database, folder: join(under.folder, 'models'), now }),
    erasures: new ErasureStore({ database, now }),
    store: new ExperimentStore({ database, now }),
    close: () => under.close(),
  }
}
