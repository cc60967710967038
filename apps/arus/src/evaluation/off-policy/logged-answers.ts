import { attributedSql, WINDOW_DEFAULT_MS } from '../../analytics/attribution.ts'
import { dateSql, momentSql } from '../../analytics/lake-question.ts'
import type { Period } from '../../analytics/period.ts'
import type { QueryEngine } from '../../query/query-engine.ts'
import type { Passport } from '../../recommend/passport/passport.ts'
import { readPassport } from '../../recommend/passport/passport-text.ts'

/** A product of an answer, with how likely it was at its rank where places were drawn. */
export type LoggedProduct = Passport['result'][number] & { readonly propensity?: number }

/** An answer that was given while exploring, and what came of its products, by the definitions of attribution. */
export interface LoggedAnswer {
  readonly passport: Omit<Passport, 'result'> & { readonly result: readonly LoggedProduct[] }
  readonly outcomes: readonly {
    readonly product_id: string
    readonly clicked: boolean
    readonly purchases: number
    readonly revenue: number
  }[]
}

export interface LoggedAnswers {
  /** The newest first. */
  readonly answers: readonly LoggedAnswer[]
  /** Answers of the period, explored or not. */
  readonly answerCount: number
  /** Those of them that tell propensities. */
  readonly exploredCount: number
}

const TIMEOUT_MS = 300_000
/** Only passports of answers with places that were drawn have it. */
const IS_EXPLORED = `passport LIKE '%"propensity":%'`

/** Answers of a period that tell how likely each product was, at most `limit` of the newest, from the lake. */
export async function readLoggedAnswers(
  query: QueryEngine,
  period: Period,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<LoggedAnswers> {
  const given = `FROM bronze.recommendations WHERE generated_date >= ${dateSql(period.fromMs)}
    AND generated_at >= ${momentSql(query.dialect, period.fromMs)} AND generated_at < ${momentSql(query.dialect, period.toMs)}`
  const options = { timeoutMs: TIMEOUT_MS, signal }
  const counted = await query.query(
    `SELECT count(*)::INTEGER, count(*) FILTER (${IS_EXPLORED})::INTEGER ${given}`,
    options,
  )
  const [answerCount, exploredCount] = counted.rows[0] as [number, number]
  if (exploredCount === 0) return { answers: [], answerCount, exploredCount }
  const found = await query.query(
    `WITH ${attributedSql(query.dialect, period, WINDOW_DEFAULT_MS).join(',\n')},
      explored AS (SELECT recommendation_id, passport, generated_at ${given} AND ${IS_EXPLORED}
        ORDER BY generated_at DESC, recommendation_id LIMIT ${limit})
    SELECT passport, to_json(list({product_id: product_id, clicked: clicked_at IS NOT NULL,
        purchases: coalesce(purchases, 0)::INTEGER, revenue: coalesce(revenue, 0)::DOUBLE} ORDER BY position))::VARCHAR
    FROM explored JOIN products USING (recommendation_id)
    GROUP BY recommendation_id, passport, generated_at ORDER BY generated_at DESC, recommendation_id`,
    { ...options, rowLimit: limit },
  )
  const answers = found.rows.map(([passport, outcomes]) => ({
    passport: readPassport(passport as string),
    outcomes: JSON.parse(outcomes as string) as LoggedAnswer['outcomes'],
  }))
  return { answers, answerCount, exploredCount }
}
