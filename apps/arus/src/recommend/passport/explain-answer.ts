import type { ModelVersion } from '../../registry/registry.ts'
import type { Passport } from './passport.ts'
import { type Recomputed, type RecomputeSource, recompute } from './recompute.ts'

/** What the shopper did with an answer, as far as the lake knows. */
export interface AnswerOutcome {
  /** Purchases count when they follow within this time. */
  readonly window_ms: number
  /** In order of rank; empty while the answer is not in the lake yet. Moments are UTC milliseconds. */
  readonly products: readonly {
    readonly product_id: string
    readonly seen_at: number | null
    readonly clicked_at: number | null
    /** After a click on this answer. */
    readonly purchases: number
    readonly revenue: number
    /** After it was seen, without a click on any answer. */
    readonly view_purchases: number
    readonly view_revenue: number
  }[]
  readonly newest_event_at: number | null
}

/** A passport with what leads on from it. */
export interface ExplainedAnswer extends Passport {
  /** The run that made the model in place; null when there was none, or the registry does not know it any more. */
  readonly training: ModelVersion | null
  /** Null while the lake cannot be asked. */
  readonly outcome: AnswerOutcome | null
  /** Null when it was not asked for. */
  readonly recomputed: Recomputed | null
}

export interface ExplainSource extends RecomputeSource {
  readonly find: (recommendationId: string) => Promise<Passport | null>
  readonly trainingOf: (version: number) => Promise<ModelVersion | null>
  readonly outcomeOf: (passport: Passport) => Promise<AnswerOutcome>
  /** Told why an outcome could not be had. */
  readonly onFault: (error: unknown) => void
}

/** Everything about an answer ever given, or null when there is none of that id. */
export async function explainAnswer(
  source: ExplainSource,
  recommendationId: string,
  { isRecomputed }: { readonly isRecomputed: boolean },
): Promise<ExplainedAnswer | null> {
  const found = await source.find(recommendationId)
  if (found === null) return null
  const version = found.parts?.model ?? found.model?.version ?? null
  const [training, outcome, recomputed] = await Promise.all([
    version === null ? null : source.trainingOf(version),
    source.outcomeOf(found).catch((error: unknown) => {
      source.onFault(error)
      return null
    }),
    isRecomputed ? recompute(found, source) : null,
  ])
  return { ...complete(found), training, outcome, recomputed }
}

/** Passports of earlier versions, in the shape of today. */
function complete(passport: Passport): Passport {
  const { earlier_events, session_event_count, request, parts, took_ms, experiments, shadows } =
    passport as Partial<Passport>
  return {
    ...passport,
    earlier_events: earlier_events ?? [],
    session_event_count: session_event_count ?? 0,
    request: request ?? null,
    parts: parts ?? null,
    took_ms: took_ms ?? null,
    experiments: experiments ?? [],
    shadows: shadows ?? [],
  }
}
