import { type FileParts, IdTable, loadModel, type Model, modelFile, readModelFile } from '@arus/recommenders'

import type { SessionUse } from './serving-model.ts'

/** The artefact of a version: every model that was fitted, and the products they know. */
export interface ModelBundle {
  /** The algorithm chosen to answer. */
  readonly chosen: string
  readonly products: IdTable
  readonly models: ReadonlyMap<string, Model>
  /** Null where it helps nobody, and in bundles of before there were such models. */
  readonly session: { readonly model: Model; readonly use: SessionUse } | null
  /** What is bought together, and its share of answers for carts. Null as above. */
  readonly cart: { readonly model: Model; readonly share: number } | null
}

/** A bundle whose models are files already. */
export interface BundleFiles extends Pick<ModelBundle, 'chosen' | 'products'> {
  readonly models: ReadonlyMap<string, FileParts>
  readonly session: { readonly file: FileParts; readonly use: SessionUse } | null
  readonly cart: { readonly file: FileParts; readonly share: number } | null
}

interface Meta {
  readonly chosen: string
  readonly kinds: readonly string[]
  readonly session?: SessionUse
  readonly cart_share?: number
}

/** Without a copy of the models: see `FileParts`. */
export function bundleFile({ chosen, products, models, session, cart }: BundleFiles): FileParts {
  const sections = Object.fromEntries([...models].map(([kind, file]) => [`model/${kind}`, file]))
  return modelFile(
    'bundle',
    {
      chosen,
      kinds: [...models.keys()],
      ...(session === null ? {} : { session: session.use }),
      ...(cart === null ? {} : { cart_share: cart.share }),
    },
    {
      products: products.file(),
      ...sections,
      ...(session === null ? {} : { session: session.file }),
      ...(cart === null ? {} : { cart: cart.file }),
    },
  )
}

/** Throws `RecommenderError` for a file that is none. */
export function loadBundle(bytes: Uint8Array): ModelBundle {
  const file = readModelFile(bytes)
  const { chosen, kinds, session, cart_share: share } = file.meta as unknown as Meta
  return {
    chosen,
    products: IdTable.load(file.u8('products')),
    models: new Map(kinds.map((kind) => [kind, loadModel(file.u8(`model/${kind}`))])),
    session: session === undefined ? null : { model: loadModel(file.u8('session')), use: session },
    cart: share === undefined ? null : { model: loadModel(file.u8('cart')), share },
  }
}
