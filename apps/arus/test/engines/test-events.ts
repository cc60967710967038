import type { ShopEvent } from '../../src/events/event.ts'
import { event } from '../../src/live/test-live.ts'

export const SHOPPERS: readonly string[] = ['ani', 'budi', 'cici', 'dewi', 'eko']

/** 200 events, of which 20 come again in the next round. */
export function eventsOf(round: number): ShopEvent[] {
  return Array.from({ length: 200 }, (_, i) =>
    event({
      event_id: `e${round * 180 + i}`,
      user_id: SHOPPERS[(round * 180 + i) % SHOPPERS.length]!,
      session_id: i % 3 === 0 ? `s${round % 5}-${i % 5}` : null,
      product_id: `P${(i * 7 + round) % 4}`,
      action: ['view', 'click', 'purchase'][(round * 180 + i) % 3]!,
    }),
  )
}

/** Ids among the events of so many rounds. */
export function distinctOf(rounds: number): number {
  return rounds * 180 + 20
}
