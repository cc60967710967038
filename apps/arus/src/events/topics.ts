import { TOPICS } from './event.ts'

/** The shop's topics of the log. */
export interface TopicNames {
  readonly events: string
  readonly rejected: string
  readonly recommendations: string
}

/** Names carry the shop, so that shops share an engine without seeing each other. */
export function topicNames(shop: string): TopicNames {
  return {
    events: `${shop}.${TOPICS.events}`,
    rejected: `${shop}.${TOPICS.rejected}`,
    recommendations: `${shop}.${TOPICS.recommendations}`,
  }
}
