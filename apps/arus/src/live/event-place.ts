import type { ShopEvent } from '../events/event.ts'

/** Where an event stands in time: its own time, or that of its intake where the sender's clock is ahead. UTC ms. */
export function placedAt({ ts, received_at }: Pick<ShopEvent, 'ts' | 'received_at'>): number {
  return Math.min(ts, received_at)
}
