import type { Settings } from '../config/settings.ts'
import { TOPICS } from './event.ts'

/** The shop's topics of the log. */
export interface TopicNames {
  readonly events: string
  readonly rejected: string
  readonly recommendations: string
}

/** Consumer groups that Arus itself reads the log as. */
export const GROUPS = { live: 'live', lake: 'lake' } as const

/** Groups that must have read a topic before its entries may go. */
export function readersOf({ events, rejected, recommendations }: TopicNames): Record<string, string[]> {
  return { [events]: [GROUPS.live, GROUPS.lake], [rejected]: [GROUPS.lake], [recommendations]: [GROUPS.lake] }
}

/** The topics of a shop by its settings. */
export function topicsOf({ shop, kafka }: Pick<Settings, 'shop' | 'kafka'>): TopicNames {
  return topicNames(shop, kafka?.topic ?? null)
}

/** Names carry the shop, so that shops share an engine without seeing each other; that of the events may be given. */
export function topicNames(shop: string, eventsTopic: string | null = null): TopicNames {
  return {
    events: eventsTopic ?? `${shop}.${TOPICS.events}`,
    rejected: `${shop}.${TOPICS.rejected}`,
    recommendations: `${shop}.${TOPICS.recommendations}`,
  }
}
