import { isPoison, isValid, type Ledger } from './ledger.ts'
import type { LoggedEvent, Picture } from './picture.ts'
import type { Plan } from './plan.ts'

const NAMED_MAX = 5

export interface Evidence {
  readonly ledger: Ledger
  readonly picture: Picture
  readonly plan: Plan
  /** Of events whose append failed, be it after it was written. */
  readonly uncertainIds: ReadonlySet<string>
}

/**
 * What does not hold between what clients know and what the system shows: accepted is in the log, in live state and in the
 * lake, once; a shopper's order is kept; live state is what the log makes of it.
 */
export function whatIsWrong({ ledger, picture, plan, uncertainIds }: Evidence): string[] {
  const { logged } = picture
  const copies = new Map<string, LoggedEvent[]>()
  for (const event of logged) copies.set(event.event_id, [...(copies.get(event.event_id) ?? []), event])
  const isCounted = (id: string) => !isPoison(ledger.events.get(id)!)
  const firsts = [...copies.values()].map((each) => each[0]!)
  const counted = firsts.filter(({ event_id }) => isCounted(event_id))
  // After an append that failed and happened all the same an id may stand in the log twice, and counts once; likewise where
  // one server took it in while the other had not heard of it.
  const doubled = [...copies].filter(
    ([id, each]) => each.length > 1 && !plan.hasSecond && !uncertainIds.has(id) && isCounted(id),
  )
  return [
    ...ledger.wrong,
    ...named(
      'in the log and never sent',
      [...copies.keys()].filter((id) => !ledger.events.has(id)),
    ),
    ...named(
      'invalid and in the log',
      [...copies.keys()].filter((id) => !isValid(ledger.events.get(id)!)),
    ),
    ...named(
      'acknowledged and lost',
      [...ledger.acknowledgedIds].filter((id) => !copies.has(id)),
    ),
    ...named(
      'twice in the log',
      doubled.map(([id]) => id),
    ),
    ...outOfOrder(ledger, firsts),
    ...liveFaults(ledger, picture, counted),
    ...lakeFaults(picture),
    ...named('unlike on the second server', picture.unlikeEachOther),
    // What a clock that was set wrong put in place is taken out by the clock, and a rebuild knows only the right one.
    ...(plan.clockJumps > 0 ? [] : named('unlike a rebuild', picture.unlikeAnew)),
  ]
}

function outOfOrder(ledger: Ledger, firsts: readonly LoggedEvent[]): string[] {
  const sentAt = new Map([...ledger.events.keys()].map((id, i) => [id, i]))
  const last = new Map<string, LoggedEvent>()
  const wrong: string[] = []
  // A shopper's events share a partition; there, offsets are the order.
  for (const event of firsts.toSorted((a, b) => a.offset - b.offset)) {
    const before = last.get(event.shopper)
    if (before !== undefined && before.partition !== event.partition) wrong.push(event.event_id)
    else if (before !== undefined && sentAt.get(before.event_id)! > sentAt.get(event.event_id)!)
      wrong.push(event.event_id)
    last.set(event.shopper, event)
  }
  return named('out of order', wrong)
}

function liveFaults(ledger: Ledger, picture: Picture, counted: readonly LoggedEvent[]): string[] {
  const wrong: string[] = []
  const expect = (what: string, found: unknown, wanted: unknown) => {
    if (found !== wanted) wrong.push(`${what}: live state says ${found}, the log ${wanted}`)
  }
  expect('events', picture.eventsTotal, counted.length)
  expect('shoppers', picture.usersTotal, new Set(counted.map(({ shopper }) => shopper)).size)
  for (const [shopper, { events, history }] of picture.perShopper) {
    const theirs = counted.filter((event) => event.shopper === shopper)
    expect(`events of ${shopper}`, events, theirs.length)
    const places = (items: readonly { partition: number; offset: number }[]) =>
      items
        .map(({ partition, offset }) => `${partition}/${offset}`)
        .sort()
        .join(' ')
    if (theirs.length <= 100)
      expect(
        `history of ${shopper}`,
        places(history),
        places(theirs.filter(({ product_id }) => product_id !== null)),
      )
  }
  for (const [product, views] of picture.viewsPerProduct) {
    const wanted = counted.filter(
      ({ event_id, product_id }) => product_id === product && ledger.events.get(event_id)!.action === 'view',
    )
    expect(`views of ${product}`, views, wanted.length)
  }
  return wrong
}

function lakeFaults({ logged, bronze, rejectedCount, rejectedRows }: Picture): string[] {
  const places = (rows: readonly { partition: number; offset: number }[]) =>
    rows.map(({ partition, offset }) => `${partition}/${offset}`)
  const inLog = new Set(places(logged))
  const inBronze = places(bronze)
  const once = new Set(inBronze)
  const rejected = new Set(places(rejectedRows))
  return [
    ...named(
      'missing in bronze',
      [...inLog].filter((place) => !once.has(place)),
    ),
    ...named(
      'twice in bronze',
      inBronze.filter((place, i) => inBronze.indexOf(place) !== i),
    ),
    ...named(
      'in bronze and not in the log',
      inBronze.filter((place) => !inLog.has(place)),
    ),
    ...(rejected.size === rejectedCount && rejectedRows.length === rejectedCount
      ? []
      : [`rejected: ${rejectedRows.length} rows of ${rejected.size} places, the log holds ${rejectedCount}`]),
  ]
}

function named(what: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  return [
    `${what}: ${ids.slice(0, NAMED_MAX).join(', ')}${ids.length > NAMED_MAX ? `, ${ids.length} in all` : ''}`,
  ]
}
