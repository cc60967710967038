import type { EventLog } from '@arus/event-log'
import type { Settings } from '../config/settings.ts'
import { type TopicNames, topicsOf } from './topics.ts'

type TopicSettings = Pick<
  Settings,
  'shop' | 'kafka' | 'partitionCount' | 'logRetentionMs' | 'logRetentionBytes'
>

/** Makes the shop's topics where they are not there, with the retention that is set now. */
export async function ensureTopics(log: EventLog, settings: TopicSettings): Promise<TopicNames> {
  const { partitionCount, logRetentionMs, logRetentionBytes } = settings
  const topics = topicsOf(settings)
  for (const topic of Object.values(topics)) {
    const options = { partitionCount, ...(logRetentionMs === null ? {} : { retentionMs: logRetentionMs }) }
    await log.ensureTopic(topic, options)
    if (logRetentionBytes === null) continue
    // A topic that was made before has as many as were set then.
    const { partitions } = await log.topic(topic)
    const retentionBytes = Math.max(1, Math.floor(logRetentionBytes / partitions.length))
    await log.ensureTopic(topic, { ...options, retentionBytes })
  }
  return topics
}
