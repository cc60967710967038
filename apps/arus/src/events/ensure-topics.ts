import type { EventLog } from '@arus/event-log'
import type { Settings } from '../config/settings.ts'
import { type TopicNames, topicNames } from './topics.ts'

type TopicSettings = Pick<Settings, 'shop' | 'partitionCount' | 'logRetentionMs' | 'logRetentionBytes'>

/** Makes the shop's topics where they are not there, with the retention that is set now. */
export async function ensureTopics(log: EventLog, settings: TopicSettings): Promise<TopicNames> {
  const { shop, partitionCount, logRetentionMs, logRetentionBytes } = settings
  const topics = topicNames(shop)
  for (const topic of Object.values(topics)) {
    await log.ensureTopic(topic, {
      partitionCount,
      ...(logRetentionMs === null ? {} : { retentionMs: logRetentionMs }),
      ...(logRetentionBytes === null
        ? {}
        : { retentionBytes: Math.max(1, Math.floor(logRetentionBytes / partitionCount)) }),
    })
  }
  return topics
}
