import type { AnswerOutcome } from '../recommend/passport/explain-answer.ts'
import { attributedSql, WINDOW_DEFAULT_MS } from './attribution.ts'
import { askLake } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import { money } from './user-behavior.ts'

/** An answer by its id and the moment it was given, UTC milliseconds. */
export interface GivenAnswer {
  readonly recommendation_id: string
  readonly generated_at: number
}

interface Row {
  readonly products: AnswerOutcome['products'] | null
}

/** What came of one answer, by the definitions of attribution. */
export async function answerOutcome(
  questions: LakeQuestions,
  { recommendation_id, generated_at }: GivenAnswer,
): Promise<AnswerOutcome> {
  const period = { fromMs: generated_at, toMs: generated_at + 1 }
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: attributedSql(dialect, period, WINDOW_DEFAULT_MS),
    figures: {
      products: `SELECT array_agg(${dialect.object({
        product_id: 'product_id',
        seen_at: dialect.epochMs('seen_at'),
        clicked_at: dialect.epochMs('clicked_at'),
        purchases: 'coalesce(purchases, 0)',
        revenue: 'coalesce(revenue, 0)',
        view_purchases: 'coalesce(view_purchases, 0)',
        view_revenue: 'coalesce(view_revenue, 0)',
      })} ORDER BY position)
        FROM products WHERE recommendation_id = $1`,
    },
    params: [recommendation_id],
  }))
  return {
    window_ms: WINDOW_DEFAULT_MS,
    products: (row.products ?? []).map((product) => ({
      ...product,
      revenue: money(product.revenue),
      view_revenue: money(product.view_revenue),
    })),
    newest_event_at: row.asOf.newest_event_at,
  }
}
