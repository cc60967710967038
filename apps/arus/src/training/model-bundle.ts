import { IdTable, loadModel, type Model, readModelFile, writeModelFile } from '@arus/recommenders'

/** The artefact of a version: every model that was fitted, and the products they know. */
export interface ModelBundle {
  /** The algorithm chosen to answer. */
  readonly chosen: string
  readonly products: IdTable
  readonly models: ReadonlyMap<string, Model>
}

export function saveBundle({ chosen, products, models }: ModelBundle): Uint8Array {
  const sections = Object.fromEntries([...models].map(([kind, model]) => [`model/${kind}`, model.save()]))
  return writeModelFile(
    'bundle',
    { chosen, kinds: [...models.keys()] },
    { products: products.save(), ...sections },
  )
}

/** Throws `RecommenderError` for a file that is none. */
export function loadBundle(bytes: Uint8Array): ModelBundle {
  const file = readModelFile(bytes)
  const { chosen, kinds } = file.meta as { readonly chosen: string; readonly kinds: readonly string[] }
  return {
    chosen,
    products: IdTable.load(file.u8('products')),
    models: new Map(kinds.map((kind) => [kind, loadModel(file.u8(`model/${kind}`))])),
  }
}
