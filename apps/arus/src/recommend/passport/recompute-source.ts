import type { EventLog } from '@arus/event-log'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { ArusError } from '../../errors.ts'
import { eventsAt } from '../../live/events-at.ts'
import type { Registry } from '../../registry/registry.ts'
import type { RuleStore } from '../../rules/rule-store.ts'
import { loadServingModel } from '../../training/load-serving-model.ts'
import type { RecomputeSource } from './recompute.ts'

/** Where a shop keeps what its answers rested on. */
export interface RecomputeParts {
  readonly log: EventLog
  /** The topic of events. */
  readonly topic: string
  readonly registry: Pick<Registry, 'get' | 'artefact'>
  readonly catalogue: () => Catalogue | null
  readonly rules: Pick<RuleStore, 'at'>
}

/** Computes answers again from what a shop keeps; a model version is loaded only when it is asked for. */
export function recomputeSourceOf({
  log,
  topic,
  registry,
  catalogue,
  rules,
}: RecomputeParts): RecomputeSource {
  return {
    readEvents: (places) => eventsAt(log, topic, places),
    loadModel: async (version) => {
      try {
        return loadServingModel(await registry.get(version), await registry.artefact(version))
      } catch (error) {
        if (!(error instanceof ArusError)) throw error
        return { gone: error.message }
      }
    },
    catalogue,
    rulesAt: (revision) => rules.at(revision),
  }
}
