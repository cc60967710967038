import { isDeepStrictEqual } from 'node:util'
import { type LiveProcessor, startLiveProcessor } from '../../src/live/live-processor.ts'
import type { HistoryItem, PairedProduct } from '../../src/live/live-state.ts'
import { BronzeInMemory, type PlacedRow } from './bronze-in-memory.ts'
import { AT_ONCE } from './io.ts'
import { emptyLog, type LogContent, MemoryLog } from './memory-log.ts'
import { MemoryState, type StateContent } from './memory-state.ts'
import { liveOptionsOf, type SimulatedArus, TOPICS } from './simulated-arus.ts'

/** An event as it stands in the log. */
export interface LoggedEvent {
  readonly event_id: string
  readonly shopper: string
  readonly product_id: string | null
  readonly partition: number
  readonly offset: number
}

/** What everybody can see of a system at rest. */
export interface Picture {
  readonly logged: readonly LoggedEvent[]
  readonly rejectedCount: number
  readonly eventsTotal: number
  readonly usersTotal: number
  readonly perShopper: ReadonlyMap<
    string,
    { readonly events: number; readonly history: readonly HistoryItem[] }
  >
  readonly viewsPerProduct: ReadonlyMap<string, number>
  readonly bronze: readonly PlacedRow[]
  readonly rejectedRows: readonly PlacedRow[]
  /** What a second server says otherwise than the first. */
  readonly unlikeEachOther: readonly string[]
  /** Keys of live state whose value is another when it is made anew from the log. */
  readonly unlikeAnew: readonly string[]
}

/** Waits until live state and bronze stand for all of the log, then looks. */
export async function pictureOf(arus: SimulatedArus): Promise<Picture> {
  const { live } = arus.server!
  const second = arus.second?.live ?? null
  for (const [partition, entries] of arus.log.topics.get(TOPICS.events)!.entries()) {
    await live.waitFor(partition, entries.length - 1, 3_600_000)
    await second?.waitFor(partition, entries.length - 1, 3_600_000)
  }
  await arus.lakeProcess!.copier.flush()
  const logged = loggedEvents(arus.log)
  const shoppers = [...new Set(logged.map(({ shopper }) => shopper))]
  const products = [...new Set(logged.flatMap(({ product_id }) => product_id ?? []))]
  const bronze = new BronzeInMemory(arus.lake, { io: AT_ONCE, now: arus.now, sabotage: null })
  const { events_total, total_users } = live.analytics()
  return {
    logged,
    rejectedCount: arus.log.topics.get(TOPICS.rejected)!.reduce((sum, entries) => sum + entries.length, 0),
    eventsTotal: events_total,
    usersTotal: total_users,
    perShopper: new Map(
      await Promise.all(
        shoppers.map(async (shopper) => {
          const events = (await live.shopper(shopper))?.events ?? 0
          return [shopper, { events, history: await live.history(shopper) }] as const
        }),
      ),
    ),
    viewsPerProduct: new Map(
      await Promise.all(
        products.map(async (product) => [product, (await live.productCounters(product)).views] as const),
      ),
    ),
    bronze: await bronze.rows('bronze.events'),
    rejectedRows: (await bronze.rows('bronze.rejected_events')).filter(
      ({ topic }) => topic === TOPICS.rejected,
    ),
    unlikeEachOther: second === null ? [] : await unlikeEachOther(live, second, { shoppers, products }),
    unlikeAnew: await unlikeAnew(arus),
  }
}

export function loggedEvents(log: LogContent): LoggedEvent[] {
  return log.topics.get(TOPICS.events)!.flatMap((entries, partition) =>
    entries.map(({ key, value, offset }) => {
      const { event_id, product_id } = JSON.parse(Buffer.from(value).toString())
      return { event_id, product_id, shopper: key ?? '', partition, offset }
    }),
  )
}

/** A follower says what whoever leads says. */
async function unlikeEachOther(
  one: LiveProcessor,
  other: LiveProcessor,
  { shoppers, products }: { readonly shoppers: readonly string[]; readonly products: readonly string[] },
): Promise<string[]> {
  const figures = (live: LiveProcessor): (readonly [string, () => unknown])[] => [
    ['events', () => live.analytics().events_total],
    ['shoppers', () => live.analytics().total_users],
    ['funnel', () => live.analytics().funnel],
    ...shoppers.flatMap((shopper) => [
      [`history of ${shopper}`, () => live.history(shopper)] as const,
      [`summary of ${shopper}`, () => live.shopper(shopper)] as const,
    ]),
    ...products.flatMap((product) => [
      [`counters of ${product}`, () => live.productCounters(product)] as const,
      [`pairs of ${product}`, async () => partnersOf(await live.goesWith(product, 10))] as const,
    ]),
  ]
  const others = figures(other)
  const unlike: string[] = []
  for (const [i, [name, figure]] of figures(one).entries())
    if (!isDeepStrictEqual(await figure(), await others[i]![1]())) unlike.push(name)
  return unlike
}

/** Without their scores, which fade from one moment to the next. */
function partnersOf(pairs: readonly PairedProduct[]): string[] {
  return pairs.map(({ product_id }) => product_id).sort()
}

/** Live state is a function of the log: what a processor that knows nothing else makes of it is the same. */
async function unlikeAnew(arus: SimulatedArus): Promise<string[]> {
  const log: LogContent = { ...emptyLog(), topics: copyOf(arus.log.topics) }
  const anew: StateContent = new Map()
  const live = await startLiveProcessor({
    ...liveOptionsOf(arus.now),
    log: new MemoryLog(log),
    state: new MemoryState(anew, arus.now),
    retryMs: 1,
  })
  await live.stop()
  const keys = new Set([...arus.state.keys(), ...anew.keys()].filter((key) => key.startsWith('live/')))
  return [...keys].filter((key) => !isDeepStrictEqual(storedAt(arus.state, key), storedAt(anew, key)))
}

function copyOf(topics: LogContent['topics']): LogContent['topics'] {
  return new Map([...topics].map(([name, partitions]) => [name, partitions.map((entries) => [...entries])]))
}

function storedAt(content: StateContent, key: string): unknown {
  const stored = content.get(key)
  return stored === undefined ? undefined : JSON.parse(stored.json)
}
