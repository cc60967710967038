import { setTimeout as sleep } from 'node:timers/promises'
import { type Ledger, markOf, type SentRequest } from './ledger.ts'

/** One way of sending events; a lane sends one request after the other, so that its order is known. */
export interface LaneKind {
  readonly name: string
  readonly eventCount: number
  readonly pauseMs: number
  readonly path: string
  readonly headers: (request: SentRequest) => Record<string, string>
  readonly body: (request: SentRequest, products: readonly string[]) => string
}

const SHOPPERS_PER_LANE = 5
const REPEAT_SHARE = 0.1
const JSON_TYPE = { 'content-type': 'application/json' }

/** Single events, arrays, NDJSON, arrays whose ids come from an Idempotency-Key, and Segment's batches. */
export const LANES: readonly LaneKind[] = [
  lane({ name: 'single', eventCount: 1, pauseMs: 4, body: (events) => JSON.stringify(events[0]) }),
  lane({ name: 'batch', eventCount: 40, pauseMs: 15, body: (events) => JSON.stringify(events) }),
  lane({
    name: 'ndjson',
    eventCount: 15,
    pauseMs: 25,
    headers: () => ({ 'content-type': 'application/x-ndjson' }),
    body: (events) => events.map((event) => JSON.stringify(event)).join('\n'),
  }),
  lane({
    name: 'keyed',
    eventCount: 10,
    pauseMs: 25,
    headers: ({ lane, first }) => ({ ...JSON_TYPE, 'idempotency-key': `"${lane}-${first}"` }),
    body: (events) => JSON.stringify(events.map(({ event_id: _, ...event }) => event)),
  }),
  lane({
    name: 'segment',
    eventCount: 5,
    pauseMs: 25,
    path: '/v1/batch',
    body: (events) =>
      JSON.stringify({
        batch: events.map(({ event_id, user_id, product_id, order_id }) => ({
          type: 'track',
          event: 'Product Viewed',
          messageId: event_id,
          userId: user_id,
          properties: { product_id, order_id },
        })),
      }),
  }),
]

/** Sends until the signal aborts or the server is gone. What was never answered is sent again first. */
export async function runLane(
  kind: LaneKind,
  { apiUrl, ledger, products, random, signal }: LaneOptions,
): Promise<void> {
  for (;;) {
    if (signal.aborted) return
    const again = ledger.unanswered.get(kind.name)
    const first = again === undefined ? ledger.sentCount : again.first
    const request = again ?? ledger.begin(kind.name, first, kind.eventCount)
    if (!(await send(kind, request))) return
    ledger.acknowledge(request)
    if (random() < REPEAT_SHARE && !(await send(kind, request))) return
    await sleep(kind.pauseMs, undefined, { signal }).catch(() => {})
  }

  /** False when the server is gone. A request that is acknowledged already must count nothing more. */
  async function send(lane: LaneKind, request: SentRequest): Promise<boolean> {
    try {
      const response = await fetch(apiUrl + lane.path, {
        method: 'POST',
        headers: lane.headers(request),
        body: lane.body(request, products),
      })
      const answer = await response.text()
      if (response.status === 503) {
        ledger.refused += 1
        return false
      }
      if (!response.ok) ledger.wrong.push(`${lane.name} was answered ${response.status}: ${answer}`)
      else if (lane.path === '/stream/events')
        checkCounts(request, JSON.parse(answer), response.headers.has('idempotency-replayed'))
      return response.ok
    } catch {
      return false
    }
  }

  function checkCounts(
    { lane, first, count, isAcknowledged }: SentRequest,
    { accepted, duplicates }: { readonly accepted: number; readonly duplicates: number },
    isReplayed: boolean,
  ): void {
    if (accepted + duplicates === count && (!isAcknowledged || accepted === 0 || isReplayed)) return
    ledger.wrong.push(
      `${lane}.${first} of ${count}, ${isAcknowledged ? 'sent again' : 'sent'}: ${accepted} accepted, ${duplicates} duplicates`,
    )
  }
}

export interface LaneOptions {
  readonly apiUrl: string
  readonly ledger: Ledger
  readonly products: readonly string[]
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Asks for recommendations of the shoppers at work. A failure of the server, not of the connection, is told. */
export async function askForRecommendations({ apiUrl, ledger, random, signal }: LaneOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      const user = shopperOf('batch', Math.floor(random() * SHOPPERS_PER_LANE))
      const response = await fetch(`${apiUrl}/recommendations/user/${user}?limit=5`)
      await response.arrayBuffer()
      if (!response.ok) ledger.wrong.push(`recommendations were answered ${response.status}`)
      ledger.reads.recommendations += 1
    } catch {
      return
    }
    await sleep(20, undefined, { signal }).catch(() => {})
  }
}

/** Listens to live figures until the server is gone. Within a connection the count of events never falls. */
export async function listen({ apiUrl, ledger, signal }: LaneOptions): Promise<void> {
  try {
    const response = await fetch(`${apiUrl}/stream/analytics`, { signal })
    let last = 0
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const end = text.lastIndexOf('\n') + 1
      for (const [, found] of text.slice(0, end).matchAll(/"events_total":(\d+)/g)) {
        const total = Number(found)
        if (total < last || total > ledger.sentCount)
          ledger.wrong.push(`the stream said ${total} events after ${last}, of ${ledger.sentCount} sent`)
        last = total
        ledger.reads.messages += 1
      }
      text = text.slice(end)
    }
  } catch {
    // The server was killed.
  }
}

interface SentEvent {
  readonly event_id: string
  readonly user_id: string
  readonly action: string
  readonly product_id: string
  readonly order_id: string
}

function lane({
  name,
  eventCount,
  pauseMs,
  path = '/stream/events',
  headers = () => JSON_TYPE,
  body,
}: {
  readonly name: string
  readonly eventCount: number
  readonly pauseMs: number
  readonly path?: string
  readonly headers?: LaneKind['headers']
  readonly body: (events: readonly SentEvent[]) => string
}): LaneKind {
  return {
    name,
    eventCount,
    pauseMs,
    path,
    headers,
    body: (request, products) => body(eventsOf(request, products)),
  }
}

function eventsOf({ lane, first, count }: SentRequest, products: readonly string[]): SentEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const number = first + i
    return {
      event_id: `id-${markOf(lane, number)}`,
      user_id: shopperOf(lane, number % SHOPPERS_PER_LANE),
      action: ['view', 'click', 'add_to_cart', 'purchase'][number % 4]!,
      product_id: products[number % products.length]!,
      order_id: markOf(lane, number),
    }
  })
}

function shopperOf(lane: string, number: number): string {
  return `${lane}-shopper-${number}`
}
