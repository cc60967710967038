import { KeptOn } from '../../kept-on.ts'
import type { RecommendationAnswer } from '../../recommend/recommendation.ts'

/** What a route answers. */
export interface AnswerPage extends RecommendationAnswer {
  readonly next_cursor: string | null
}

const texts = new KeptOn<AnswerPage['recommendations'], string>()

/** The answer as JSON. Products that the recommender gave before, as the same array, are not written anew. */
export function answerText({ recommendations, ...rest }: AnswerPage): string {
  let products = texts.get(recommendations)
  if (products === undefined) {
    products = JSON.stringify(recommendations)
    texts.set(recommendations, products)
  }
  return `${JSON.stringify(rest).slice(0, -1)},"recommendations":${products}}`
}
