import type { EventLog } from '@arus/event-log'
import { appendBroken } from '../append-broken.ts'
import { type Route, type SortedEntries, sortEntry } from '../bronze-routes.ts'
import { bronzeTables } from '../bronze-tables.ts'
import type { Lake } from '../lake.ts'
import { LAKE_GROUP } from '../lake-writer.ts'
import { positionOf, positionTransactions } from '../log-positions.ts'
import type { Offsets } from './kafka-source.ts'

export interface CopyOthersOptions {
  readonly lake: Lake
  readonly log: EventLog
  readonly route: Route
  /** The positions that bronze states. */
  readonly stated: Offsets
  /** Up to where the stream has written. */
  readonly until: Offsets
  /**
   * Entries before these offsets and not before the stated ones that the stream leaves out, of each partition in their order, with
   * `partition`, `offset`, `timestamp_ms`, `value`.
   */
  readonly entriesUntil: (ends: Offsets) => AsyncIterable<Readonly<Record<string, unknown>>>
}

/** Of one commit. */
const PAGE_ENTRIES = 50_000

/**
 * Copies the entries that the stream left out, by the rules of the embedded writer, and states with them the positions up to
 * which all entries are in bronze. Ends early where another process was first: what it stated holds.
 */
export async function copyOthers({
  stated,
  until,
  entriesUntil,
  ...target
}: CopyOthersOptions): Promise<void> {
  const known = new Map(stated)
  const ends = movedFrom(known, until)
  if (ends.size === 0) return
  const reached = new Map<number, number>()
  let page: SortedEntries = { decoded: [], broken: [] }
  for await (const row of entriesUntil(ends)) {
    const [partition, offset] = [Number(row.partition), Number(row.offset)]
    if (offset < (reached.get(partition) ?? 0))
      throw new TypeError(`Spark gave offset ${offset} of ${target.route.topic}/${partition} out of order`)
    const value = row.value instanceof Uint8Array ? row.value : new Uint8Array()
    const entry = { key: null, value, offset, timestampMs: Number(row.timestamp_ms) }
    sortEntry(target.route, partition, entry, page)
    reached.set(partition, offset + 1)
    if (page.decoded.length + page.broken.length < PAGE_ENTRIES) continue
    if (!(await commit(target, page, { known, next: movedFrom(known, reached) }))) return
    page = { decoded: [], broken: [] }
  }
  await commit(target, page, { known, next: movedFrom(known, ends) })
}

/** Commits a page with the positions after it; false when another process was first. */
async function commit(
  { lake, log, route }: Pick<CopyOthersOptions, 'lake' | 'log' | 'route'>,
  { decoded: rows, broken }: SortedEntries,
  { known, next }: { readonly known: Map<number, number>; readonly next: Offsets },
): Promise<boolean> {
  if (next.size === 0) return true
  const bronze = bronzeTables(lake)
  const snapshot = await bronze.snapshot(route.table)
  const isAsKnown = [...next.keys()].every(
    (partition) => (positionOf(snapshot, route.topic, partition) ?? 0) === (known.get(partition) ?? 0),
  )
  if (!isAsKnown || !(await appendBroken(bronze, route, { broken, next }))) return false
  const { mapping, table, topic } = route
  const transactions = positionTransactions(topic, next)
  const kind = await bronze.append(table, { mapping, rows, transactions, readVersion: snapshot.version })
  if (kind !== 'committed') return false
  for (const [partition, offset] of next) known.set(partition, offset)
  await log.commit(LAKE_GROUP, topic, next)
  return true
}

/** Offsets behind those that are known. */
function movedFrom(known: Offsets, offsets: Offsets): Map<number, number> {
  return new Map([...offsets].filter(([partition, offset]) => offset > (known.get(partition) ?? 0)))
}
