import { setImmediate } from 'node:timers/promises'
import type { EventLog } from '@arus/event-log'
import { allNames, joinedNames, type ShopperNames } from '../events/shopper-names.ts'
import type { TopicNames } from '../events/topics.ts'
import type { FoundShopper } from '../lake/find-shopper.ts'
import { type TheirTopic, theirTopics } from '../lake/their-entries.ts'
import type { LiveProcessor } from '../live/live-processor.ts'
import type { OnProgress } from '../progress.ts'
import type { ModelVersion } from '../registry/registry.ts'
import type { Erasure, ErasureReport, ErasureWork, Remainder } from './erasure.ts'
import { type ErasureStore, mayHold } from './erasure-store.ts'

/** What erasing works on: of a running server, or of a command that has the data to itself. */
export interface ErasureParts {
  readonly store: ErasureStore
  readonly log: EventLog
  readonly topics: TopicNames
  readonly live: Pick<LiveProcessor, 'forget' | 'waitFor' | 'shopper'>
  readonly lake: {
    /** What the lake knows, once all of the log is in it. */
    find(shopper: string): Promise<FoundShopper>
    erase(names: ShopperNames, onProgress: OnProgress): Promise<void>
  }
  readonly models: () => Promise<readonly ModelVersion[]>
  /** Resolves when passports of answers given so far are in the log. */
  readonly flushPassports: () => Promise<void>
  /** These events are new if they come again. */
  readonly forgetIds: (eventIds: readonly string[]) => void
  readonly now: () => number
}

/** Live state applies what the log holds within this time. */
const CATCH_UP_MS = 600_000
const READ_RECORDS = 1_000

/**
 * Erases a person from log, live state and lake; gives what was removed and what stays. The order makes a repeat after a
 * crash finish it: first it is written down who they are and when their history began, so that models are known to hold
 * it; then each place is emptied before those that are filled from it, and what had read from it before is waited for:
 * the log, live state, bronze, and silver and gold, which follow bronze. Events that come after the log was gone through
 * are new events of somebody new.
 */
export async function eraseShopper(
  parts: ErasureParts,
  { id, work: begun }: Erasure,
  onProgress: OnProgress,
): Promise<ErasureReport> {
  if (begun === null) throw new TypeError('the erasure is done')
  const { store, topics } = parts
  onProgress({ step: 'Looking for the shopper', done: 0, total: 1, unit: 'steps' })
  const found = await parts.lake.find(begun.shopper)
  let work = workOf(begun, found)
  await store.keep(id, work, found.firstAtMs)
  onProgress({ step: 'Looking for the shopper', done: 1, total: 1, unit: 'steps' })

  const names = work.names ?? found.names
  await parts.flushPassports()
  const [events, ...others] = theirTopics(topics, allNames(names))
  if (events !== undefined) work = await eraseTopic(parts, events, work, onProgress)
  work = {
    ...work,
    removed: { ...work.removed, 'live state': await eraseLive(parts, names, { found, work }) },
  }
  // What could not be applied goes to the topic of rejected events: by now it is there.
  for (const topic of others) work = await eraseTopic(parts, topic, work, onProgress)
  await store.keep(id, work, null)
  if (isAnything(work)) await parts.lake.erase(names, onProgress)
  return reportOf(parts, id, { work, found })
}

/** What is known now and what an earlier try had found, before it removed some of it. */
function workOf(begun: ErasureWork, { names, rowCounts }: FoundShopper): ErasureWork {
  const places = Object.keys({ ...begun.removed, ...rowCounts })
  return {
    ...begun,
    names: begun.names === null ? names : joinedNames(names, begun.names),
    removed: Object.fromEntries(
      places.map((place) => [place, Math.max(begun.removed[place] ?? 0, rowCounts[place] ?? 0)]),
    ),
  }
}

function isAnything({ removed }: ErasureWork): boolean {
  return Object.values(removed).some((count) => count > 0)
}

async function eraseTopic(
  { log, now }: ErasureParts,
  { topic, isTheirs }: TheirTopic,
  work: ErasureWork,
  onProgress: OnProgress,
): Promise<ErasureWork> {
  // To erase is more than to look: free space is overwritten too, where entries of theirs may have stood once.
  if (!isAnything(work) && !(await holdsAny(log, { topic, isTheirs }))) return work
  const step = `Erasing from the log: ${topic}`
  onProgress({ step, done: 0, total: 1, unit: 'topics' })
  const result = await log.erase(topic, isTheirs)
  onProgress({ step, done: 1, total: 1, unit: 'topics' })
  const place = `log ${topic}`
  if (result.kind === 'erased')
    return { ...work, removed: { ...work.removed, [place]: (work.removed[place] ?? 0) + result.count } }
  const { retentionMs } = result
  const remainder: Remainder = {
    place,
    what: 'Entries of theirs: this log cannot rewrite them, and lets them go with its retention.',
    until: retentionMs === null ? null : new Date(now() + retentionMs).toISOString(),
  }
  return { ...work, remains: [...work.remains.filter((known) => known.place !== place), remainder] }
}

async function holdsAny(log: EventLog, { topic, isTheirs }: TheirTopic): Promise<boolean> {
  for (const { partition, startOffset, endOffset } of (await log.topic(topic)).partitions) {
    for (let offset = startOffset; offset < endOffset; ) {
      const { entries, nextOffset } = await log.read(topic, partition, offset, READ_RECORDS)
      if (entries.some(isTheirs)) return true
      if (nextOffset <= offset) break
      offset = nextOffset
      await setImmediate()
    }
  }
  return false
}

/** Returns the items of history that went. What was read from the log before it was erased there is applied first. */
async function eraseLive(
  { live, log, topics, forgetIds }: ErasureParts,
  names: ShopperNames,
  { found, work }: { readonly found: FoundShopper; readonly work: ErasureWork },
): Promise<number> {
  const { partitions } = await log.topic(topics.events)
  await Promise.all(
    partitions.map(({ partition, endOffset }) => live.waitFor(partition, endOffset - 1, CATCH_UP_MS)),
  )
  const isKnown = isAnything(work) || (await live.shopper(names.id)) !== null
  const before = work.removed['live state'] ?? 0
  if (!isKnown) return before
  const { anonymousIds, sessions } = names
  const removed = await live.forget(names.id, {
    names: [...anonymousIds, ...sessions],
    sessions,
    eventIds: found.eventIds,
  })
  forgetIds(found.eventIds)
  return before + removed
}

async function reportOf(
  { store, models, topics }: ErasureParts,
  id: number,
  { work, found }: { readonly work: ErasureWork; readonly found: FoundShopper },
): Promise<ErasureReport> {
  const history = await store.historyOf(id)
  const outdated =
    history === null ? [] : (await models()).filter(({ trained_at }) => mayHold(history, trained_at))
  const inService = outdated.find(({ status }) => status === 'production')
  return {
    otherNames: (work.names?.anonymousIds.length ?? 0) + (work.names?.sessions.length ?? 0),
    removed: { [`log ${topics.events}`]: 0, 'live state': 0, ...work.removed },
    remains: [...work.remains, ...(isAnything(work) ? remaindersOf(found, inService ?? null) : []), REQUEST],
    outdatedModels: outdated.map(({ version }) => version),
    modelInService: inService?.version ?? null,
  }
}

const REQUEST: Remainder = {
  place: 'database',
  what: 'That this was asked for, when, a hash of the name, and this report.',
  until: null,
}

function remaindersOf(found: FoundShopper, inService: ModelVersion | null): Remainder[] {
  const remains: Remainder[] = [
    {
      place: 'bronze.removed_shoppers',
      what: 'A hash of each name with places in the log, so that a rebuild brings nothing back.',
      until: null,
    },
    {
      place: 'live state',
      what: 'Sums over all shoppers (product counters, trends, pairs, events and revenue of a day) that count their events and name nobody.',
      until: null,
    },
  ]
  if (inService !== null)
    remains.push({
      place: `model ${inService.version}`,
      what: 'Trained with their history among others, names nobody. Not used for them; the next training round replaces it.',
      until: null,
    })
  if (found.sharedAnonymousIds > 0)
    remains.push({
      place: 'events of others',
      what: `${found.sharedAnonymousIds} anonymous ids of theirs under which others signed in too; what came under those alone stays.`,
      until: null,
    })
  if (found.namedByOthers > 0)
    remains.push({
      place: 'events of others',
      what: `${found.namedByOthers} events of other shoppers carry the name as anonymous id or session; forget those shoppers to remove them.`,
      until: null,
    })
  return remains
}
