import { ArusError } from '../../errors.ts'
import { DEPTH_MAX, isDeeperThan } from '../nesting.ts'
import { Unmapped } from '../unmapped.ts'

/** Events that one body may become: a few bytes of a list can each make one. */
const EVENTS_MAX = 50_000

/** All events of a body's messages, in order. One that nests too deep is refused alone. */
export function mapMessages(
  messages: readonly unknown[],
  map: (message: unknown, index: number) => readonly unknown[],
): unknown[] {
  const events: unknown[] = []
  for (const [index, message] of messages.entries()) {
    const mapped = isDeeperThan(message, DEPTH_MAX)
      ? [new Unmapped(null, '', `is nested deeper than ${DEPTH_MAX} levels`)]
      : map(message, index)
    if (events.length + mapped.length > EVENTS_MAX) {
      throw new ArusError(
        'BODY_TOO_LARGE',
        `The body holds more than ${EVENTS_MAX} events; send it in parts.`,
      )
    }
    for (const event of mapped) events.push(event)
  }
  return events
}
