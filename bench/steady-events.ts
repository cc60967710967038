/** Events in one request. */
export const BATCH_SIZE = 100
const SHOPPERS = Array.from({ length: 2_000 }, (_, n) => `load-${n}`)

export interface SteadyLoad {
  readonly eventsPerSecond: number
  readonly seconds: number
  /** Who does something in turn. Default 2,000 of its own. */
  readonly shoppers?: readonly string[]
}

/** Sends views at a steady rate. One sender, so that what it was told is acknowledged is all there is. */
export async function sendSteadily(
  baseUrl: string,
  products: readonly string[],
  { eventsPerSecond, seconds, shoppers = SHOPPERS }: SteadyLoad,
  onAcknowledged: (latencyMs: number) => void,
): Promise<void> {
  const intervalMs = (BATCH_SIZE / eventsPerSecond) * 1_000
  const batchCount = Math.round((seconds * eventsPerSecond) / BATCH_SIZE)
  const startedMs = performance.now()
  for (let batch = 0; batch < batchCount; batch++) {
    const dueMs = startedMs + batch * intervalMs
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
    const sentMs = performance.now()
    await send(
      baseUrl,
      Array.from({ length: BATCH_SIZE }, (_, i) => ({
        user_id: shoppers[(batch * BATCH_SIZE + i) % shoppers.length],
        action: 'view',
        product_id: products[(batch + i) % products.length],
      })),
    )
    onAcknowledged(performance.now() - sentMs)
  }
}

/** Sends events; throws unless all are accepted. */
export async function send(baseUrl: string, events: readonly object[]): Promise<void> {
  const response = await fetch(`${baseUrl}/stream/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  const { accepted } = (await response.json()) as { readonly accepted: number }
  if (accepted !== events.length) throw new Error(`${accepted} of ${events.length} events were accepted`)
}
