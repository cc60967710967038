import type { Registry } from '../registry/registry.ts'
import { loadServingModel } from '../training/load-serving-model.ts'
import type { ServingModel } from '../training/serving-model.ts'

/** Model versions of running experiments at most: each is in memory beside the one in production. */
export const VARIANT_MODELS_MAX = 4
/** A version that could not be had is tried again after this time. */
const RETRY_MS = 60_000

/** A version's model, or why there is none. */
export type FoundModel =
  | { readonly model: ServingModel; readonly reason: null }
  | { readonly model: null; readonly reason: string }

export interface VariantModelsOptions {
  readonly registry: Pick<Registry, 'list' | 'artefact'>
  readonly now: () => number
  /** Told of a version that cannot be had, once in a while. */
  readonly onFault: (error: unknown) => void
}

/** Model versions that experiments need, loaded beside the one in production. */
export class VariantModels {
  readonly #options: VariantModelsOptions
  #found: ReadonlyMap<number, FoundModel & { readonly atMs: number }> = new Map()

  constructor(options: VariantModelsOptions) {
    this.#options = options
  }

  find(version: number): FoundModel {
    return this.#found.get(version) ?? { model: null, reason: `Model version ${version} is not loaded.` }
  }

  /** Holds these versions and no others when it resolves. One that is outdated is let go, as no erased shopper's history may answer. */
  async hold(versions: ReadonlySet<number>): Promise<void> {
    if (versions.size === 0 && this.#found.size === 0) return
    const known = new Map((await this.#options.registry.list()).map((model) => [model.version, model]))
    const found = new Map<number, FoundModel & { readonly atMs: number }>()
    for (const version of versions) {
      const before = this.#found.get(version)
      const registered = known.get(version)
      const gone = (reason: string) => ({ model: null, reason, atMs: this.#options.now() })
      if (registered === undefined) found.set(version, gone(`Model version ${version} is not registered.`))
      else if (registered.outdated)
        found.set(
          version,
          gone(`Model version ${version} is outdated: a shopper in its training data was erased.`),
        )
      else if (before !== undefined && !this.#isRetried(before)) found.set(version, before)
      else found.set(version, await this.#load(registered))
    }
    this.#found = found
  }

  #isRetried({ model, atMs }: FoundModel & { readonly atMs: number }): boolean {
    return model === null && this.#options.now() - atMs >= RETRY_MS
  }

  async #load(registered: Parameters<typeof loadServingModel>[0]) {
    const atMs = this.#options.now()
    try {
      const artefact = await this.#options.registry.artefact(registered.version)
      return { model: loadServingModel(registered, artefact), reason: null, atMs }
    } catch (error) {
      this.#options.onFault(error)
      return { model: null, reason: error instanceof Error ? error.message : String(error), atMs }
    }
  }
}
