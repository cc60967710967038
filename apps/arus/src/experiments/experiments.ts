import { ArusError } from '../errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { Experiment } from './experiment.ts'
import type { ExperimentStore } from './experiment-store.ts'
import { type NewExperiment, newExperiment } from './new-experiment.ts'
import type { ExperimentResults } from './results.ts'
import { VARIANT_MODELS_MAX } from './variant-models.ts'

/** Experiments as those who run the shop need them. Throws `EXPERIMENT_UNKNOWN` for an id that is none. */
export interface Experiments {
  /** Newest first. */
  list(): Promise<readonly Experiment[]>
  /** Makes a draft. Throws `REQUEST_INVALID` where it makes no sense, or names a model version there is not. */
  create(asked: NewExperiment): Promise<Experiment>
  get(id: string): Promise<Experiment>
  /** Null for a draft. */
  results(experiment: Experiment): Promise<ExperimentResults | null>
  /** Shoppers are treated when it resolves. Throws `EXPERIMENT_CONFLICT` with what stands in the way. */
  start(id: string): Promise<Experiment>
  /** Nobody is treated any more when it resolves. Throws `EXPERIMENT_CONFLICT` when it does not run. */
  stop(id: string, reason: string): Promise<Experiment>
  /** Throws `EXPERIMENT_CONFLICT` while it runs. */
  remove(id: string): Promise<Experiment>
}

export interface ExperimentsOptions {
  readonly store: ExperimentStore
  readonly registry: Pick<Registry, 'list'>
  readonly resultsOf: (experiment: Experiment) => Promise<ExperimentResults>
  /** Makes what changed take effect. */
  readonly refresh: () => Promise<void>
  /** Told why the verdict could not be had when an experiment was stopped. */
  readonly onFault: (error: unknown) => void
}

/** Experiments over the store; see `Experiments`. */
export function createExperiments(options: ExperimentsOptions): Experiments {
  const { store, registry, resultsOf, refresh, onFault } = options
  return {
    list: () => store.list(),
    get: (id) => store.get(id),
    async create(asked) {
      const plan = newExperiment(asked)
      const known = new Set((await registry.list()).map(({ version }) => version))
      const errors = plan.variants.flatMap(({ model_version }, i) =>
        model_version === null || known.has(model_version)
          ? []
          : [
              {
                pointer: `/variants/${i}/model_version`,
                reason: 'must be a version that "arus models" lists',
              },
            ],
      )
      if (errors.length === 0) return store.create(plan)
      throw new ArusError(
        'REQUEST_INVALID',
        'The experiment names a model version that is not registered; "arus models" lists all.',
        { details: { errors } },
      )
    },
    results: async (experiment) => (experiment.started_at === null ? null : resultsOf(experiment)),
    async start(id) {
      const experiment = await store.get(id)
      const obstacle = await obstacleTo(experiment, options)
      if (obstacle !== null) throw new ArusError('EXPERIMENT_CONFLICT', obstacle)
      const started = await store.start(id)
      await refresh()
      return started
    },
    async stop(id, reason) {
      const experiment = await store.get(id)
      const results = experiment.status === 'running' ? await resultsOf(experiment).catch(onFault) : undefined
      const verdict = results?.judgement?.verdict ?? null
      const stopped = await store.stop(id, { stop_reason: reason, verdict })
      await refresh()
      return stopped
    },
    async remove(id) {
      const experiment = await store.get(id)
      await store.remove(id)
      return experiment
    },
  }
}

/** Why it cannot be started now; null when nothing stands in the way. */
async function obstacleTo(
  experiment: Experiment,
  { store, registry }: Pick<ExperimentsOptions, 'store' | 'registry'>,
): Promise<string | null> {
  const models = new Map((await registry.list()).map((model) => [model.version, model]))
  for (const version of versionsOf([experiment])) {
    const model = models.get(version)
    if (model === undefined) return `Model version ${version} is not registered any more.`
    if (model.outdated)
      return `Model version ${version} is outdated: a shopper in its training data was erased. Train another.`
  }
  const running = (await store.running()).filter(({ id }) => id !== experiment.id)
  const versions = versionsOf([...running, experiment])
  if (versions.size > VARIANT_MODELS_MAX)
    return `Running experiments may hold ${VARIANT_MODELS_MAX} model versions, with this one it were ${versions.size}: stop one first.`
  const other = running.find((one) => bothChooseModel(one, experiment))
  if (other === undefined) return null
  return `Experiment ${other.id} ("${other.name}") chooses the model of the same answers already: stop it first, or name other scenarios.`
}

function versionsOf(experiments: readonly Experiment[]): Set<number> {
  const versions = experiments.flatMap(({ variants }) => variants.map(({ model_version }) => model_version))
  return new Set(versions.filter((version) => version !== null))
}

/** True where an answer could be in both and each would choose its model. Shadows choose for nobody. */
function bothChooseModel(one: Experiment, other: Experiment): boolean {
  if (one.mode === 'shadow' || other.mode === 'shadow') return false
  if (versionsOf([one]).size === 0 || versionsOf([other]).size === 0) return false
  const isEverywhere = one.scenarios.length === 0 || other.scenarios.length === 0
  return isEverywhere || one.scenarios.some((scenario) => other.scenarios.includes(scenario))
}
