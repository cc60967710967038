import type { Trends } from '../api-schema/index.ts'
import { askLake, named, REVENUE_SQL } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import { DAY_MS, type Period } from './period.ts'
import { stepsOf } from './steps.ts'
import { money, ratio } from './user-behavior.ts'

const CATEGORIES = { default: 10, max: 50 }

/** Which categories, and how finely. */
export interface TrendOptions {
  readonly interval: Trends['interval']
  /** IANA name. */
  readonly timeZone: string
  /** Only this one; absent means the most viewed. */
  readonly category?: string
  /** Categories at most, 1 to 50. Default 10. */
  readonly limit?: number
}

interface Row {
  readonly categories:
    | readonly {
        readonly category: string
        readonly views: number
        readonly purchases: number
        readonly revenue: number
        readonly first_half: number
        readonly second_half: number
      }[]
    | null
  readonly counts:
    | readonly {
        readonly category: string
        readonly step: number
        readonly views: number
        readonly purchases: number
      }[]
    | null
}

const VIEWS = `count(*) FILTER (WHERE action = 'view')`
const PURCHASES = `count(*) FILTER (WHERE action = 'purchase')`

/** The interval of a period when none is asked for: hours up to 3 days, else days. */
export function trendsInterval({ fromMs, toMs }: Period): Trends['interval'] {
  return toMs - fromMs <= 3 * DAY_MS ? 'hour' : 'day'
}

/** Views and purchases of the most viewed categories over time, with the growth of views from half to half. */
export async function trends(
  questions: LakeQuestions,
  period: Period,
  options: TrendOptions,
): Promise<Trends> {
  const { times, sql } = stepsOf(period, options.interval, options.timeZone)
  const { category, limit = CATEGORIES.default } = options
  const middleMs = Math.floor((period.fromMs + period.toMs) / 2)
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: [
      `most_viewed AS (
        SELECT category, ${VIEWS} AS views, ${PURCHASES} AS purchases, ${REVENUE_SQL} AS revenue,
          count(*) FILTER (WHERE action = 'view' AND ${dialect.epochMs('ts')} < ${middleMs}) AS first_half
        FROM e WHERE category IS NOT NULL ${category === undefined ? '' : 'AND category = $1'}
        GROUP BY category HAVING count(*) FILTER (WHERE action IN ('view', 'purchase')) > 0 ORDER BY views DESC, purchases DESC, category
        LIMIT ${Math.min(Math.max(Math.floor(limit), 1), CATEGORIES.max)})`,
      `counted AS (
        SELECT category, ${sql(dialect)} AS step, ${VIEWS} AS views,
          ${PURCHASES} AS purchases
        FROM e WHERE category IN (SELECT category FROM most_viewed) AND action IN ('view', 'purchase') GROUP BY 1, 2)`,
    ],
    figures: {
      categories: `SELECT array_agg(${dialect.object({
        ...named('category', 'views', 'purchases', 'revenue', 'first_half'),
        second_half: 'views - first_half',
      })} ORDER BY views DESC, purchases DESC, category) FROM most_viewed`,
      counts: `SELECT array_agg(${dialect.object(named('category', 'step', 'views', 'purchases'))}) FROM counted`,
    },
    params: category === undefined ? [] : [category],
  }))
  return {
    from: period.fromMs,
    to: period.toMs,
    interval: options.interval,
    time_zone: options.timeZone,
    times: [...times],
    categories: seriesOf(row, times.length),
    as_of: row.asOf,
  }
}

function seriesOf(row: Row, length: number): Trends['categories'] {
  const categories = (row.categories ?? []).map((found) => ({
    category: found.category,
    views: new Array<number>(length).fill(0),
    purchases: new Array<number>(length).fill(0),
    total_views: found.views,
    total_purchases: found.purchases,
    revenue: money(found.revenue),
    growth: ratio(found.second_half - found.first_half, found.first_half),
  }))
  const byName = new Map(categories.map((category) => [category.category, category]))
  for (const { category, step, views, purchases } of row.counts ?? []) {
    const own = byName.get(category)
    if (own === undefined) continue
    own.views[step] = views
    own.purchases[step] = purchases
  }
  return categories
}
