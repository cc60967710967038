import type {
  Attribution,
  Funnel,
  Heatmap,
  Retention,
  Searches,
  Timeline,
  Trends,
  UserBehavior,
} from '../api-schema/index.ts'
import type { TableName } from '../lake/table-names.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import type { AnswerOutcome } from '../recommend/passport/explain-answer.ts'
import { AnswerCache } from './answer-cache.ts'
import { answerOutcome, type GivenAnswer } from './answer-outcome.ts'
import { attribution } from './attribution.ts'
import { type FunnelOptions, funnel } from './funnel.ts'
import { heatmap } from './heatmap.ts'
import { LakeQuestions } from './lake-questions.ts'
import { DAY_MS, type Period, type PeriodRequest, resolvePeriod } from './period.ts'
import { type RetentionOptions, retention } from './retention.ts'
import { searches } from './searches.ts'
import { type ShopperPage, type ShopperTimelinePage, shopperTimeline } from './shopper-timeline.ts'
import { type TimelineOptions, timeline, timelineInterval } from './timeline.ts'
import { type TrendOptions, trends, trendsInterval } from './trends.ts'
import { userBehavior } from './user-behavior.ts'

export type FunnelRequest = PeriodRequest & FunnelOptions
export type TimelineRequest = PeriodRequest & Partial<TimelineOptions>
export type HeatmapRequest = PeriodRequest & { readonly timeZone?: string }
export type TrendsRequest = PeriodRequest & Partial<TrendOptions>
export type RetentionRequest = PeriodRequest & Partial<RetentionOptions>
export type AttributionRequest = PeriodRequest & { readonly windowMs?: number }
export type SearchesRequest = PeriodRequest & { readonly limit?: number }
export type ShopperRequest = PeriodRequest & ShopperPage

/**
 * Historical figures of the shop, computed from the lake and defined in `docs/ANALYTICS.md`. An empty lake gives zeros.
 * Open ends of a period are filled as `resolvePeriod` says. Failures are those of the `QueryEngine`, and
 * `REQUEST_INVALID` for an unknown time zone, a series of more than 50,000 points or more than 400 cohorts.
 */
export interface Analytics {
  /** Default period: 30 days. */
  userBehavior(request?: PeriodRequest): Promise<UserBehavior>
  /** Default period: 30 days. */
  funnel(request?: FunnelRequest): Promise<Funnel>
  /** Default period: 24 hours. */
  timeline(request?: TimelineRequest): Promise<Timeline>
  /** Default period: 28 days, so that every weekday is there as often. */
  heatmap(request?: HeatmapRequest): Promise<Heatmap>
  /** Default period: 14 days. */
  trends(request?: TrendsRequest): Promise<Trends>
  /** Default period: 12 weeks, or 30 days where days are asked for. */
  retention(request?: RetentionRequest): Promise<Retention>
  /** Default period: 30 days. */
  attribution(request?: AttributionRequest): Promise<Attribution>
  /** Default period: 30 days. */
  searches(request?: SearchesRequest): Promise<Searches>
  /** Default period: all time. A shopper nobody knows did nothing. */
  shopper(request: ShopperRequest): Promise<ShopperTimelinePage>
  /** What came of one answer; no products while the lake does not hold it yet. */
  outcome(answer: GivenAnswer): Promise<AnswerOutcome>
}

/** Who computes the figures. */
export interface Analysts {
  readonly query: QueryEngine
  /** Asked while `query` cannot be reached; `as_of.engine` says so. */
  readonly standIn?: QueryEngine
}

export interface AnalyticsOptions extends Analysts {
  readonly now: () => number
  /** IANA name, for days, weekdays and hours where a request names none. Default `UTC`. */
  readonly timeZone?: string
  /** Answers kept. Default 200. */
  readonly cacheEntries?: number
}

/** Analytics over a query engine. An answer is kept until one of the tables it rests on has a newer version. */
export function createAnalytics(options: AnalyticsOptions): Analytics {
  return new LakeAnalytics(options)
}

/** Tables that answers rest on; their versions cost nothing but a look. */
const TABLES: Readonly<Record<'events' | 'answers', readonly TableName[]>> = {
  events: ['silver.events', 'gold.product_stats'],
  answers: ['bronze.recommendations', 'silver.events'],
}
/** All that a date can hold. */
const ALL_TIME: Period = { fromMs: -8.64e15, toMs: 8.64e15 }

interface Question<R extends PeriodRequest> {
  readonly kind: string
  readonly request: R
  /** Of the period when none is asked for. */
  readonly lengthMs: number
  readonly tables?: readonly TableName[]
}

class LakeAnalytics implements Analytics {
  readonly #questions: LakeQuestions
  readonly #now: () => number
  readonly #timeZone: string
  readonly #cache: AnswerCache

  constructor({ query, standIn, now, timeZone = 'UTC', cacheEntries = 200 }: AnalyticsOptions) {
    this.#questions = new LakeQuestions({ query, standIn: standIn ?? null, now })
    this.#now = now
    this.#timeZone = timeZone
    this.#cache = new AnswerCache(cacheEntries)
  }

  userBehavior(request: PeriodRequest = {}): Promise<UserBehavior> {
    return this.#answer({ kind: 'behaviour', request, lengthMs: 30 * DAY_MS }, (period) =>
      userBehavior(this.#questions, period),
    )
  }

  funnel(request: FunnelRequest = {}): Promise<Funnel> {
    return this.#answer({ kind: 'funnel', request, lengthMs: 30 * DAY_MS }, (period) =>
      funnel(this.#questions, period, request),
    )
  }

  timeline(request: TimelineRequest = {}): Promise<Timeline> {
    const { interval, timeZone = this.#timeZone } = request
    return this.#answer({ kind: 'timeline', request, lengthMs: DAY_MS }, (period) =>
      timeline(this.#questions, period, { interval: interval ?? timelineInterval(period), timeZone }),
    )
  }

  heatmap(request: HeatmapRequest = {}): Promise<Heatmap> {
    return this.#answer({ kind: 'heatmap', request, lengthMs: 28 * DAY_MS }, (period) =>
      heatmap(this.#questions, period, request.timeZone ?? this.#timeZone),
    )
  }

  trends(request: TrendsRequest = {}): Promise<Trends> {
    const { interval, timeZone = this.#timeZone } = request
    return this.#answer({ kind: 'trends', request, lengthMs: 14 * DAY_MS }, (period) =>
      trends(this.#questions, period, { ...request, interval: interval ?? trendsInterval(period), timeZone }),
    )
  }

  retention(request: RetentionRequest = {}): Promise<Retention> {
    const { interval = 'week', timeZone = this.#timeZone } = request
    const lengthMs = (interval === 'week' ? 84 : 30) * DAY_MS
    return this.#answer({ kind: 'retention', request, lengthMs }, (period) =>
      retention(this.#questions, period, { ...request, interval, timeZone }),
    )
  }

  attribution(request: AttributionRequest = {}): Promise<Attribution> {
    const question = { kind: 'attribution', request, lengthMs: 30 * DAY_MS, tables: TABLES.answers }
    return this.#answer(question, (period) => attribution(this.#questions, period, request.windowMs))
  }

  searches(request: SearchesRequest = {}): Promise<Searches> {
    return this.#answer({ kind: 'searches', request, lengthMs: 30 * DAY_MS }, (period) =>
      searches(this.#questions, period, request.limit),
    )
  }

  /** Not kept: each page is asked for once. */
  shopper({
    fromMs = ALL_TIME.fromMs,
    toMs = ALL_TIME.toMs,
    ...page
  }: ShopperRequest): Promise<ShopperTimelinePage> {
    return shopperTimeline(this.#questions, { fromMs, toMs }, page)
  }

  outcome(answer: GivenAnswer): Promise<AnswerOutcome> {
    return answerOutcome(this.#questions, answer)
  }

  async #answer<R extends PeriodRequest, T>(
    { kind, request, lengthMs, tables = TABLES.events }: Question<R>,
    compute: (period: Period) => Promise<T>,
  ): Promise<T> {
    const versions = JSON.stringify(await this.#questions.versions(tables))
    const newestMs = await this.#cache.answer(`newest ${versions}`, () => this.#newestEvent())
    const period = resolvePeriod(request, lengthMs, { nowMs: this.#now(), newestMs })
    const question = JSON.stringify([kind, request, period, versions])
    return this.#cache.answer(question, () => compute(period))
  }

  async #newestEvent(): Promise<number | null> {
    const { rows } = await this.#questions.ask(({ epochMs }) => ({
      sql: `SELECT ${epochMs('max(ts)')} FROM silver.events`,
      params: [],
    }))
    return (rows[0]?.[0] ?? null) as number | null
  }
}
