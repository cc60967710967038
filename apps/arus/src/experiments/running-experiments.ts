import type { ServingModel } from '../training/serving-model.ts'
import { assign, isInTraffic } from './assignment.ts'
import { type Experiment, holdsFor } from './experiment.ts'
import type { ExperimentStore } from './experiment-store.ts'
import type { ExperimentMark, Treatment } from './treatment.ts'
import type { VariantModels } from './variant-models.ts'

/** How soon an experiment that another process started or stopped is seen. */
const REFRESH_MS = 1_000

export interface RunningExperimentsOptions {
  readonly store: Pick<ExperimentStore, 'running'>
  readonly models: VariantModels
  /** The database could not be asked; what ran so far goes on. */
  readonly onFault: (error: unknown) => void
}

/** A model that looks over the shoulder of the one that answers. */
export interface Shadow {
  readonly id: string
  readonly variant: string
  readonly model: ServingModel
}

/** The experiments that run, in memory: a request costs two hashes for each that holds for it, and nothing when none runs. */
export class RunningExperiments {
  readonly #options: RunningExperimentsOptions
  #tests: readonly Experiment[] = []
  #shadows: readonly Experiment[] = []
  #timer: NodeJS.Timeout | null = null
  #refreshing: Promise<void> = Promise.resolve()

  private constructor(options: RunningExperimentsOptions) {
    this.#options = options
  }

  /** Reads what runs, and goes on reading it until closed. */
  static async open(options: RunningExperimentsOptions): Promise<RunningExperiments> {
    const running = new RunningExperiments(options)
    await running.refresh().catch(options.onFault)
    running.#schedule()
    return running
  }

  /** What is done for a shopper in this scenario; null where no experiment has them. Asks memory only. */
  treatment(unit: string, scenario: string): Treatment | null {
    if (this.#tests.length === 0) return null
    const marks: ExperimentMark[] = []
    let model: ServingModel | null = null
    for (const experiment of this.#tests) {
      const variant = holdsFor(experiment, scenario) ? assign(experiment, unit) : null
      if (variant === null) continue
      const found = variant.model_version === null ? null : this.#options.models.find(variant.model_version)
      marks.push({ id: experiment.id, variant: variant.name, fell_back: found?.reason ?? null })
      model ??= found?.model ?? null
    }
    return marks.length === 0 ? null : { marks, model }
  }

  /** Models in the shadow of an answer. Sampled by the answer: who asks does not matter where nobody is treated. */
  shadowsOf(recommendationId: string, scenario: string): readonly Shadow[] {
    if (this.#shadows.length === 0) return []
    const shadows: Shadow[] = []
    for (const experiment of this.#shadows) {
      const { id, traffic, variants } = experiment
      if (!holdsFor(experiment, scenario) || !isInTraffic(id, traffic, recommendationId)) continue
      for (const { name, model_version } of variants) {
        const model = model_version === null ? null : this.#options.models.find(model_version).model
        if (model !== null) shadows.push({ id, variant: name, model })
      }
    }
    return shadows
  }

  /** Takes over what the database holds now; models are loaded before the first shopper is treated. */
  refresh(): Promise<void> {
    const refreshing = this.#refreshing.catch(() => {}).then(() => this.#refresh())
    this.#refreshing = refreshing
    return refreshing
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#refreshing.catch(() => {})
  }

  async #refresh(): Promise<void> {
    const running = await this.#options.store.running()
    const versions = running.flatMap(({ variants }) => variants.map(({ model_version }) => model_version))
    await this.#options.models.hold(new Set(versions.filter((version) => version !== null)))
    this.#tests = running.filter(({ mode }) => mode === 'ab')
    this.#shadows = running.filter(({ mode }) => mode === 'shadow')
  }

  #schedule(): void {
    const timer = setTimeout(async () => {
      await this.refresh().catch(this.#options.onFault)
      if (this.#timer === timer) this.#schedule()
    }, REFRESH_MS)
    timer.unref()
    this.#timer = timer
  }
}
