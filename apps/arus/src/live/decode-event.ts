import type { LogEntry } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import type { ShopEvent } from '../events/event.ts'
import { readLoggedEvent } from '../events/logged-event.ts'

/** The event of an entry of the events topic. What is no event throws `REQUEST_INVALID`. */
export function decodeEvent(
  entry: LogEntry,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): ShopEvent {
  const { offset, timestampMs } = entry
  const read = readLoggedEvent(rawOf(entry), { topic, partition, offset, timestampMs })
  if (read.kind === 'event') return read.event
  throw new ArusError('REQUEST_INVALID', read.refusal.reason)
}

/** An entry as text. */
export function rawOf({ value }: LogEntry): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}
