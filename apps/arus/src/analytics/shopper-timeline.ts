import type { ShopperTimeline } from '../api-schema/index.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { askLake, REVENUE_SQL } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import type { Period } from './period.ts'
import { money } from './user-behavior.ts'

/** Where a page ends: the place of its last event among the shopper's. */
export interface TimelinePlace {
  readonly ts: number
  readonly partition: number
  readonly offset: number
}

export interface ShopperPage {
  readonly shopper: string
  /** Events at most. */
  readonly limit: number
  /** Only what is older. */
  readonly before?: TimelinePlace
}

/** What `ShopperTimeline` holds, with the place the next page begins after. */
export type ShopperTimelinePage = Omit<ShopperTimeline, 'next_cursor'> & {
  readonly next: TimelinePlace | null
}

interface Row {
  readonly summary: ShopperTimeline['summary']
  readonly events: readonly (TimelinePlace & ShopperTimeline['events'][number])[] | null
}

const COLUMNS = [
  'event_id',
  'action',
  'product_id',
  'category',
  'price',
  'quantity',
  'order_id',
  'recommendation_id',
  'position',
  'query',
  'session',
]
const fieldsOf = ({ epochMs }: SqlDialect) => ({
  ...Object.fromEntries(COLUMNS.map((name) => [name, `p.${name}`])),
  title: 't.title',
  ts: epochMs('p.ts'),
  partition: 'p.log_partition',
  offset: 'p.log_offset',
})

/** What one shopper did, newest first, a page at a time, with sums over the whole period. */
export async function shopperTimeline(
  questions: LakeQuestions,
  period: Period,
  { shopper, limit, before }: ShopperPage,
): Promise<ShopperTimelinePage> {
  const olderSql = ({ epochMs }: SqlDialect) =>
    before === undefined
      ? ''
      : `WHERE (${epochMs('ts')}, log_partition, log_offset) < (${before.ts}, ${before.partition}, ${before.offset})`
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    where: 'shopper = $1',
    with: [
      `page AS (SELECT * FROM e ${olderSql(dialect)} ORDER BY ts DESC, log_partition DESC, log_offset DESC LIMIT ${limit + 1})`,
    ],
    figures: {
      summary: `SELECT ${dialect.object({
        events: 'count(*)',
        sessions: 'count(DISTINCT session)',
        first_event_at: dialect.epochMs('min(ts)'),
        last_event_at: dialect.epochMs('max(ts)'),
        purchases: `count(*) FILTER (WHERE action = 'purchase')`,
        revenue: REVENUE_SQL,
      })} FROM e`,
      events: `SELECT array_agg(${dialect.object(fieldsOf(dialect))} ORDER BY p.ts DESC, p.log_partition DESC, p.log_offset DESC)
        FROM page p LEFT JOIN gold.product_stats t ON p.product_id = t.product_id`,
    },
    params: [shopper],
  }))
  const found = row.events ?? []
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1) : undefined
  return {
    user_id: shopper,
    summary: { ...row.summary, revenue: money(row.summary.revenue) },
    events: page.map(({ partition, offset, ...event }) => event),
    next: last === undefined ? null : { ts: last.ts, partition: last.partition, offset: last.offset },
    as_of: row.asOf,
  }
}
