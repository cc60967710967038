import { BlendModel } from '../blend-model.ts'
import type { FitSignal, Model } from '../model.ts'
import { fitPopular, fitTrending, type TrendingOptions } from '../ranking-model.ts'
import { type SequentialRulesOptions, sequentialRulesOf } from './sequential-rules.ts'
import {
  interactionsOfSessions,
  type OrderedSessions,
  orderSessions,
  type SessionEvents,
} from './session-events.ts'
import { indexSessions, type SessionIndex } from './session-index.ts'
import { type SessionItemKnnOptions, sessionItemKnnOf } from './session-item-knn.ts'
import { type VmisKnnOptions, vmisKnnOf } from './vmis-knn.ts'
import { type VstanOptions, vstanOf } from './vstan.ts'

/** A model to be fitted on sessions, as a plain value: what tuning tries and chooses. */
export type SessionModelSpec =
  | { readonly kind: 'popular'; readonly options: Readonly<Record<string, never>> }
  | { readonly kind: 'trending'; readonly options: TrendingOptions }
  | { readonly kind: 'sequential-rules'; readonly options: SequentialRulesOptions }
  | { readonly kind: 'session-item-knn'; readonly options: SessionItemKnnOptions }
  | { readonly kind: 'vmis-knn'; readonly options: VmisKnnOptions }
  | { readonly kind: 'vstan'; readonly options: VstanOptions }
  | { readonly kind: 'session-blend'; readonly options: SessionBlendOptions }

export interface SessionBlendOptions {
  readonly parts: readonly { readonly weight: number; readonly spec: SessionModelSpec }[]
}

/** A blend of session models is a quarter as deep as others: it answers at every click. */
export const SESSION_BLEND = { depth: 50 } as const

/** Fits the model that `spec` tells of. Throws `MODEL_INPUT_INVALID`. */
export function fitSessionModel(
  spec: SessionModelSpec,
  events: SessionEvents,
  signal: FitSignal = {},
): Model {
  return new SessionTraining(events).fit(spec, signal)
}

/** Training sessions, ordered and indexed once for all the models fitted on them. */
export class SessionTraining {
  readonly #events: SessionEvents
  #ordered: OrderedSessions | undefined
  #index: SessionIndex | undefined

  constructor(events: SessionEvents) {
    this.#events = events
  }

  fit(spec: SessionModelSpec, signal: FitSignal = {}): Model {
    signal.signal?.throwIfAborted()
    switch (spec.kind) {
      case 'popular':
        return fitPopular(interactionsOfSessions(this.#events))
      case 'trending':
        return fitTrending(interactionsOfSessions(this.#events), spec.options, signal)
      case 'sequential-rules':
        return sequentialRulesOf(this.#order(), spec.options, signal)
      case 'session-item-knn':
        return sessionItemKnnOf(this.#order(), spec.options, signal)
      case 'vmis-knn':
        return vmisKnnOf(this.#indexed(signal), spec.options)
      case 'vstan':
        return vstanOf(this.#indexed(signal), spec.options)
      case 'session-blend':
        return new BlendModel(
          spec.options.parts.map((part) => ({ weight: part.weight, model: this.fit(part.spec, signal) })),
          SESSION_BLEND,
        )
    }
  }

  #order(): OrderedSessions {
    this.#ordered ??= orderSessions(this.#events)
    return this.#ordered
  }

  #indexed(signal: FitSignal): SessionIndex {
    this.#index ??= indexSessions(this.#order(), signal)
    return this.#index
  }
}
