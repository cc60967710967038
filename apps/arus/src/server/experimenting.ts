import type { Logger } from 'pino'
import type { Parts } from '../cli/context.ts'
import type { Experiment } from '../experiments/experiment.ts'
import { ExperimentWatch } from '../experiments/experiment-watch.ts'
import { createExperiments, type Experiments } from '../experiments/experiments.ts'
import { experimentResults } from '../experiments/results.ts'
import { RunningExperiments } from '../experiments/running-experiments.ts'
import { ShadowQueue } from '../experiments/shadow-queue.ts'
import { VariantModels } from '../experiments/variant-models.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import type { ExposureLog } from '../recommend/passport/exposure-log.ts'
import type { Passport } from '../recommend/passport/passport.ts'

export interface ExperimentingParts {
  readonly parts: Pick<Parts, 'experiments' | 'registry'>
  readonly query: QueryEngine
  readonly exposures: ExposureLog
  readonly logger: Logger
  readonly now: () => number
}

/** Experiments of a running server: what runs, models in the shadow, and what stops by itself. */
export interface Experimenting {
  readonly running: RunningExperiments
  readonly shadows: ShadowQueue
  readonly watch: ExperimentWatch
  readonly api: Experiments
  /** A passport that is not in the log yet. */
  waiting(recommendationId: string): Passport | undefined
  /** Resolves when passports of answers given so far are in the log. */
  flush(): Promise<void>
  close(): Promise<void>
}

export async function experimenting({
  parts,
  query,
  exposures,
  logger,
  now,
}: ExperimentingParts): Promise<Experimenting> {
  const store = await parts.experiments()
  const registry = await parts.registry()
  const told = (message: string) => (error: unknown) => logger.error({ err: error }, message)
  const models = new VariantModels({
    registry,
    now,
    onFault: told('a model version of an experiment cannot be had; production answers in its place'),
  })
  const running = await RunningExperiments.open({
    store,
    models,
    onFault: told('experiments could not be read; those known go on'),
  })
  const shadows = new ShadowQueue({
    shadowsOf: (recommendationId, scenario) => running.shadowsOf(recommendationId, scenario),
    onPassport: (passport) => exposures.add(passport),
    onFault: told('a model in the shadow could not answer'),
  })
  const resultsOf = (experiment: Experiment) => experimentResults(query, experiment, now())
  const watch = new ExperimentWatch({
    store,
    resultsOf,
    onStop: async ({ id, stop_reason }) => {
      logger.warn({ experiment: id, reason: stop_reason }, 'an experiment was stopped')
      await running.refresh()
    },
    onFault: told('an experiment could not be looked at; trying again'),
  })
  watch.start()
  const flush = async () => {
    await shadows.flush()
    await exposures.flush()
  }
  return {
    running,
    shadows,
    watch,
    api: createExperiments({
      store,
      registry,
      resultsOf,
      refresh: () => running.refresh(),
      onFault: told('the verdict of a stopped experiment could not be had'),
    }),
    waiting: (id) => shadows.waiting(id) ?? exposures.waiting(id),
    flush,
    async close() {
      await watch.close()
      await running.close()
      await flush()
    },
  }
}
