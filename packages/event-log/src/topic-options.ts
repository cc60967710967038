import { EventLogError } from './errors.ts'
import type { TopicOptions } from './event-log.ts'

/** Throws `LOG_TOPIC_INVALID` for a name or options that not every adapter can take. */
export function checkTopic(
  topic: string,
  { partitionCount, retentionMs, retentionBytes }: TopicOptions,
): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic)) {
    throw new EventLogError('LOG_TOPIC_INVALID', `A topic is 1 to 249 of A-Z a-z 0-9 . _ -, found "${topic}"`)
  }
  if (!Number.isInteger(partitionCount) || partitionCount < 1 || partitionCount > 65_535) {
    throw new EventLogError('LOG_TOPIC_INVALID', `A topic has 1 to 65535 partitions, found ${partitionCount}`)
  }
  for (const [name, value] of Object.entries({ retentionMs, retentionBytes })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue
    throw new EventLogError(
      'LOG_TOPIC_INVALID',
      `${name} is a whole number above 0, or absent, found ${value}`,
    )
  }
}
