import { setImmediate } from 'node:timers/promises'
import { blockFault, encodeBlock, entriesOf, headerOf, ONE_PAGE_BYTES, recordsOf } from './block-format.ts'
import type { LogEntry } from './event-log.ts'
import { committed } from './lmdb-commit.ts'
import type { Block, LmdbStore, Place } from './lmdb-store.ts'
import { damaged } from './read-entries.ts'

/** Pages overwritten in one transaction. */
const STEP_PAGES = 256
/** Transactions after which pages freed before may be used again, with room to spare. */
const SETTLING_COMMITS = 4

/** Empties matching records of a partition, block by block: offset and time stay, key and value go. Returns how many. */
export async function eraseEntries(
  store: LmdbStore,
  place: Place,
  matches: (entry: LogEntry) => boolean,
): Promise<number> {
  let erased = 0
  const { start, end } = store.headOf(place)
  for (let offset = start; offset < end; ) {
    const block = firstBlock(store, place, { from: offset, to: end })
    if (block === null) break
    const { baseOffset, bytes } = block
    const fault = blockFault(bytes)
    if (fault !== null) throw damaged(`partition ${place.partition}`, baseOffset, fault)
    const offsets = new Set<number>()
    for (const entry of entriesOf(bytes, baseOffset, offset)) if (matches(entry)) offsets.add(entry.offset)
    if (offsets.size > 0)
      erased += await store.write(() => emptyRecords(store, place, { baseOffset, offsets }))
    offset = baseOffset + headerOf(bytes).count
    // To look at a block takes milliseconds: requests are let in between.
    await setImmediate()
  }
  return erased
}

/**
 * Overwrites every page that holds nothing now with zeros: LMDB only marks pages as free. Pages are taken until the file
 * grows, which it does only when no free one is left, then given back. Leaf pages hold no records, so none is missed.
 */
export async function overwriteFreePages(store: LmdbStore): Promise<void> {
  const zeros = store.root.openDB<Buffer, number>({
    name: 'zeros',
    encoding: 'binary',
    keyEncoding: 'uint32',
  })
  const page = Buffer.alloc(ONE_PAGE_BYTES)
  let count = 0
  for (let commit = 0; commit < SETTLING_COMMITS; commit++)
    await store.write(() => void zeros.put(count++, page))
  for (let hasGrown = false; !hasGrown; ) {
    const lastPage = lastPageOf(store)
    await store.write(() => {
      for (let i = 0; i < STEP_PAGES; i++) void zeros.put(count++, page)
    })
    hasGrown = lastPageOf(store) > lastPage
  }
  await committed(zeros.drop())
}

/** Ends the walk at once: one left open would keep its pages from being used again. */
function firstBlock(
  store: LmdbStore,
  place: Place,
  { from, to }: { readonly from: number; readonly to: number },
): Block | null {
  for (const block of store.blocks(place, from, to)) return block
  return null
}

function emptyRecords(
  store: LmdbStore,
  place: Place,
  { baseOffset, offsets }: { readonly baseOffset: number; readonly offsets: ReadonlySet<number> },
): number {
  // It may have grown since it was looked at, or be gone.
  const now = store.blockAt(place, baseOffset)
  if (now === null || now.baseOffset !== baseOffset) return 0
  const records = [...recordsOf(now.bytes)].map(({ timestampMs, record }, i) => ({
    timestampMs,
    record: offsets.has(baseOffset + i) ? null : record,
  }))
  const block: Block = { baseOffset, bytes: encodeBlock(null, records) }
  const head = store.headOf(place)
  store.putBlock(place, block)
  store.putHead(place, { ...head, bytes: head.bytes + block.bytes.length - now.bytes.length })
  return offsets.size
}

function lastPageOf(store: LmdbStore): number {
  return (store.root.getStats() as { lastPageNumber: number }).lastPageNumber
}
