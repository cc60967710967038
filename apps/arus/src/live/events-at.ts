import type { EventLog } from '@arus/event-log'
import { decodeEvent } from './decode-event.ts'
import type { HistoryItem } from './live-state.ts'

/** Product interactions at these places of the log, in this order; null where there is none (any more). */
export async function eventsAt(
  log: Pick<EventLog, 'read'>,
  topic: string,
  places: readonly (readonly [partition: number, offset: number])[],
): Promise<(HistoryItem | null)[]> {
  return Promise.all(
    places.map(async ([partition, offset]) => {
      const [entry] = (await log.read(topic, partition, offset, 1)).entries
      if (entry === undefined || entry.offset !== offset) return null
      const { product_id, action, ts } = decodeEvent(entry, { topic, partition })
      return product_id === null ? null : { product_id, action, ts, partition, offset }
    }),
  )
}
