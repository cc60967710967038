import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blockFault, encodeBlock, headerOf } from './block-format.ts'
import { type Block, LmdbStore, type Place } from './lmdb-store.ts'

export interface RepairOptions {
  /** Of the log. Nothing else may have it open. */
  readonly folder: string
  /** False: only looks. */
  readonly isRepairing: boolean
  /** Damaged blocks are kept here as files; without it their bytes are dropped. */
  readonly keepIn?: string
}

/** Offsets whose records cannot be read. */
export interface DamagedRange {
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
  readonly fault: string
  /** Groups that had not read all of it. */
  readonly unreadBy: readonly string[]
}

/**
 * Finds damaged and missing blocks. With `isRepairing` each becomes a gap, as erased records are, so that readers go on
 * after it and offsets stay what they were; the records in it are lost to groups that had not read them.
 */
export async function repairLmdbEventLog(options: RepairOptions): Promise<DamagedRange[]> {
  const store = new LmdbStore(options.folder)
  try {
    const ranges: DamagedRange[] = []
    for (const { key: topic, value } of [...store.topics.getRange()]) {
      for (let partition = 0; partition < value.partitionCount; partition++) {
        const place: Place = { topicId: value.id, partition }
        for (const damage of damagesOf(store, place)) {
          const { fromOffset, toOffset, fault, block } = damage
          const unreadBy = groupsBefore(store, { topic, partition, toOffset })
          ranges.push({ topic, partition, fromOffset, toOffset, fault, unreadBy })
          if (!options.isRepairing) continue
          if (options.keepIn !== undefined && block !== null)
            keep(options.keepIn, `${topic}-${partition}-${fromOffset}-${toOffset}.block`, block.bytes)
          await store.write(() => leaveGap(store, place, damage))
        }
      }
    }
    return ranges
  } finally {
    await store.root.close()
  }
}

interface Damage extends Pick<DamagedRange, 'fromOffset' | 'toOffset' | 'fault'> {
  /** Null where there is none. */
  readonly block: Block | null
  /** Time of the newest record before it: what stands in its place must not outlive its neighbours. */
  readonly beforeMs: number
}

/** How far a block reaches is what the next one's place says: its own header may be what is damaged. */
function damagesOf(store: LmdbStore, place: Place): Damage[] {
  const { start, end } = store.headOf(place)
  const blocks = store.rawBlocks(place, end)
  const damages: Damage[] = []
  let beforeMs = 0
  let expected = start
  let block = blocks.next()
  while (!block.done) {
    const { value } = block
    block = blocks.next()
    const toOffset = block.done ? end : block.value.baseOffset
    if (toOffset <= start) continue
    if (value.baseOffset > expected)
      damages.push(missing({ fromOffset: expected, toOffset: value.baseOffset, beforeMs }))
    expected = toOffset
    const fromOffset = value.baseOffset
    const fault = blockFault(value.bytes)
    const { count, newestMs } = fault === null ? headerOf(value.bytes) : { count: 0, newestMs: beforeMs }
    if (fault !== null) damages.push({ fromOffset, toOffset, fault, block: value, beforeMs })
    else if (fromOffset + count > toOffset)
      damages.push({ fromOffset, toOffset, fault: 'it reaches into the next one', block: value, beforeMs })
    else if (fromOffset + count < toOffset)
      damages.push(missing({ fromOffset: fromOffset + count, toOffset, beforeMs: newestMs }))
    beforeMs = newestMs
  }
  if (expected < end) damages.push(missing({ fromOffset: expected, toOffset: end, beforeMs }))
  return damages
}

function missing(range: Pick<Damage, 'fromOffset' | 'toOffset' | 'beforeMs'>): Damage {
  return { ...range, fault: 'it is missing', block: null }
}

function leaveGap(store: LmdbStore, place: Place, { fromOffset, toOffset, block, beforeMs }: Damage): void {
  const records = Array.from({ length: toOffset - fromOffset }, () => ({
    timestampMs: beforeMs,
    record: null,
  }))
  const bytes = encodeBlock(null, records)
  const head = store.headOf(place)
  store.putBlock(place, { baseOffset: fromOffset, bytes })
  store.putHead(place, { ...head, bytes: head.bytes + bytes.length - (block?.bytes.length ?? 0) })
}

function groupsBefore(
  store: LmdbStore,
  { topic, partition, toOffset }: Pick<DamagedRange, 'topic' | 'partition' | 'toOffset'>,
): string[] {
  return [...store.offsets.getRange()]
    .filter(({ key, value }) => key[1] === topic && key[2] === String(partition) && value < toOffset)
    .map(({ key }) => key[0] ?? '')
}

function keep(folder: string, name: string, bytes: Buffer): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), bytes, { flush: true })
}
