import type { Searches } from '../api-schema/index.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { askLake, named, REVENUE_SQL } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import type { Period } from './period.ts'
import { money, ratio } from './user-behavior.ts'

const LIMIT_DEFAULT = 20

interface Counts {
  readonly searches: number
  readonly shoppers: number
  readonly clicked: number
  readonly bought: number
  readonly revenue: number
}

interface Row {
  readonly totals: Counts & { readonly queries: number }
  readonly queries: readonly (Counts & { readonly query: string })[] | null
}

const COUNTS = `count(*) AS searches, count(DISTINCT shopper) AS shoppers, count(*) FILTER (WHERE is_clicked) AS clicked,
    count(*) FILTER (WHERE is_bought) AS bought, sum(revenue) AS revenue`
const COUNT_FIELDS = named('searches', 'shoppers', 'clicked', 'bought', 'revenue')

const withSql = ({ oneSpaced }: SqlDialect) => [
  // Everything of a session up to its next search belongs to the search before.
  `numbered AS (
    SELECT *, count(CASE WHEN action = 'search' THEN 1 END) OVER (
      PARTITION BY session ORDER BY ts, log_partition, log_offset ROWS UNBOUNDED PRECEDING) AS number
    FROM e WHERE session IN (SELECT session FROM e WHERE action = 'search'))`,
  `each_search AS (
    SELECT max(shopper) FILTER (WHERE action = 'search') AS shopper,
      nullif(trim(lower(${oneSpaced("max(query) FILTER (WHERE action = 'search')")})), '') AS query,
      bool_or(action IN ('view', 'click')) AS is_clicked, bool_or(action = 'purchase') AS is_bought,
      ${REVENUE_SQL} AS revenue
    FROM numbered WHERE number > 0 GROUP BY session, number)`,
  `totals AS (SELECT ${COUNTS}, count(DISTINCT query) AS queries FROM each_search)`,
]

/** What shoppers searched for, and what came of it; defined in `docs/ANALYTICS.md`. */
export async function searches(
  questions: LakeQuestions,
  period: Period,
  limit: number = LIMIT_DEFAULT,
): Promise<Searches> {
  const order = 'searches DESC, clicked DESC, query'
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: [
      ...withSql(dialect),
      `top AS (SELECT query, ${COUNTS} FROM each_search WHERE query IS NOT NULL GROUP BY query ORDER BY ${order} LIMIT ${limit})`,
    ],
    figures: {
      totals: `SELECT ${dialect.object({ ...COUNT_FIELDS, queries: 'queries' })} FROM totals`,
      queries: `SELECT array_agg(${dialect.object({ query: 'query', ...COUNT_FIELDS })} ORDER BY ${order}) FROM top`,
    },
  }))
  const { queries, ...totals } = row.totals
  return {
    from: period.fromMs,
    to: period.toMs,
    ...figuresOf(totals),
    distinct_queries: queries,
    queries: (row.queries ?? []).map(({ query: text, ...counts }) => ({ query: text, ...figuresOf(counts) })),
    as_of: row.asOf,
  }
}

function figuresOf({ searches, shoppers, clicked, bought, revenue }: Counts) {
  return {
    searches,
    shoppers,
    click_rate: ratio(clicked, searches),
    purchase_rate: ratio(bought, searches),
    revenue: money(revenue ?? 0),
  }
}
