import type { EventLog } from '@arus/event-log'
import type { Logger } from 'pino'
import type { Analytics } from '../analytics/analytics.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { ArusError } from '../errors.ts'
import { type ExplainSource, explainAnswer } from '../recommend/passport/explain-answer.ts'
import type { ExposureLog } from '../recommend/passport/exposure-log.ts'
import { findPassport } from '../recommend/passport/find-passport.ts'
import { recomputeSourceOf } from '../recommend/passport/recompute-source.ts'
import type { Registry } from '../registry/registry.ts'
import type { RuleStore } from '../rules/rule-store.ts'

/** What answers are explained from. */
export interface PassportParts {
  readonly log: EventLog
  readonly topics: { readonly events: string; readonly recommendations: string }
  /** Passports that are not in the log yet. */
  readonly waiting: Pick<ExposureLog, 'waiting'>
  readonly registry: Registry
  readonly catalogue: () => Catalogue | null
  readonly rules: Pick<RuleStore, 'at'>
  readonly analytics: Analytics
  readonly logger: Logger
}

/** Explains answers from the log, the registry and the lake; a model version is loaded only to compute again. */
export function passportsOf(parts: PassportParts) {
  const { log, topics, waiting, registry, catalogue, rules, analytics, logger } = parts
  const source: ExplainSource = {
    ...recomputeSourceOf({ log, topic: topics.events, registry, catalogue, rules }),
    find: (id) => findPassport({ log, topic: topics.recommendations, waiting }, id),
    trainingOf: (version) => registry.get(version).catch(unknownAsNull),
    outcomeOf: (passport) => analytics.outcome(passport),
    onFault: (error) => logger.warn({ err: error }, 'what came of an answer cannot be had now'),
  }
  return {
    explain: (recommendationId: string, options: { readonly isRecomputed: boolean }) =>
      explainAnswer(source, recommendationId, options),
  }
}

function unknownAsNull(error: unknown): null {
  if (error instanceof ArusError && error.code === 'MODEL_UNKNOWN') return null
  throw error
}
