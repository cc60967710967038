import type { Funnel, Heatmap, Timeline, Trends, UserBehavior } from '../api-schema/index.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import { AnswerCache } from './answer-cache.ts'
import { type FunnelOptions, funnel } from './funnel.ts'
import { heatmap } from './heatmap.ts'
import { DAY_MS, type Period, type PeriodRequest, resolvePeriod } from './period.ts'
import { timeline, timelineInterval } from './timeline.ts'
import { type TrendOptions, trends, trendsInterval } from './trends.ts'
import { userBehavior } from './user-behavior.ts'

export type FunnelRequest = PeriodRequest & FunnelOptions
export type TimelineRequest = PeriodRequest & { readonly interval?: Timeline['interval'] }
export type HeatmapRequest = PeriodRequest & { readonly timeZone?: string }
export type TrendsRequest = PeriodRequest & Partial<TrendOptions>

/**
 * Historical figures of the shop, computed from the lake and defined in `docs/ANALYTICS.md`. An empty lake gives zeros.
 * Open ends of a period are filled as `resolvePeriod` says. Failures are those of the `QueryEngine`, and
 * `REQUEST_INVALID` for an unknown time zone or a series of more than 50,000 points.
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
}

export interface AnalyticsOptions {
  readonly query: QueryEngine
  readonly now: () => number
  /** IANA name, for weekdays and hours of the heatmap. Default `UTC`. */
  readonly timeZone?: string
  /** Answers kept. Default 200. */
  readonly cacheEntries?: number
}

/** Analytics over a query engine. An answer is kept until one of the tables it rests on has a newer version. */
export function createAnalytics(options: AnalyticsOptions): Analytics {
  return new LakeAnalytics(options)
}

/** Versions of the tables that answers rest on, at no cost of reading them. */
const VERSIONS_SQL = 'SELECT 1 FROM silver.events, gold.product_stats LIMIT 0'
const NEWEST_SQL = 'SELECT epoch_ms(max(ts)) FROM silver.events'

class LakeAnalytics implements Analytics {
  readonly #query: QueryEngine
  readonly #now: () => number
  readonly #timeZone: string
  readonly #cache: AnswerCache

  constructor({ query, now, timeZone = 'UTC', cacheEntries = 200 }: AnalyticsOptions) {
    this.#query = query
    this.#now = now
    this.#timeZone = timeZone
    this.#cache = new AnswerCache(cacheEntries)
  }

  userBehavior(request: PeriodRequest = {}): Promise<UserBehavior> {
    return this.#answer('behaviour', request, 30 * DAY_MS, (period) => userBehavior(this.#query, period))
  }

  funnel(request: FunnelRequest = {}): Promise<Funnel> {
    return this.#answer('funnel', request, 30 * DAY_MS, (period) => funnel(this.#query, period, request))
  }

  timeline(request: TimelineRequest = {}): Promise<Timeline> {
    return this.#answer('timeline', request, DAY_MS, (period) =>
      timeline(this.#query, period, request.interval ?? timelineInterval(period)),
    )
  }

  heatmap(request: HeatmapRequest = {}): Promise<Heatmap> {
    return this.#answer('heatmap', request, 28 * DAY_MS, (period) =>
      heatmap(this.#query, period, request.timeZone ?? this.#timeZone),
    )
  }

  trends(request: TrendsRequest = {}): Promise<Trends> {
    return this.#answer('trends', request, 14 * DAY_MS, (period) =>
      trends(this.#query, period, { ...request, interval: request.interval ?? trendsInterval(period) }),
    )
  }

  async #answer<R extends PeriodRequest, T>(
    kind: string,
    request: R,
    lengthMs: number,
    compute: (period: Period) => Promise<T>,
  ): Promise<T> {
    const { table_versions } = await this.#query.query(VERSIONS_SQL)
    const versions = JSON.stringify(table_versions)
    const newestMs = await this.#cache.answer(`newest ${versions}`, () => this.#newestEvent())
    const period = resolvePeriod(request, lengthMs, { nowMs: this.#now(), newestMs })
    const question = JSON.stringify([kind, request, period, versions])
    return this.#cache.answer(question, () => compute(period))
  }

  async #newestEvent(): Promise<number | null> {
    const { rows } = await this.#query.query(NEWEST_SQL)
    return (rows[0]?.[0] ?? null) as number | null
  }
}
