import {
  BLOCK_BYTES_MAX,
  type BlockRecord,
  blockFault,
  EMPTY_BLOCK,
  encodeBlock,
  headerOf,
  ONE_PAGE_BYTES,
  recordBytes,
} from './block-format.ts'
import type { LogRecord, RecordPosition } from './event-log.ts'
import type { Head, LmdbStore, Place } from './lmdb-store.ts'
import { partitionOf } from './partitioner.ts'

/**
 * Writes records at the ends of partitions, inside one transaction; `finish` before it commits. A last block of one page
 * is filled up first: LMDB would copy that page anyway. Longer ones are left as they are.
 */
export class BlockWriter {
  readonly #store: LmdbStore
  readonly #partitions = new Map<string, PartitionWriter>()

  constructor(store: LmdbStore) {
    this.#store = store
  }

  append(topic: string, records: readonly LogRecord[]): RecordPosition[] {
    const { id, partitionCount } = this.#store.known(topic)
    return records.map((record, i) => {
      const partition = record.key === null ? i % partitionCount : partitionOf(record.key, partitionCount)
      return { partition, offset: this.#writerOf({ topicId: id, partition }).add(record) }
    })
  }

  finish(): void {
    for (const writer of this.#partitions.values()) writer.finish()
  }

  #writerOf(place: Place): PartitionWriter {
    const name = `${place.topicId}/${place.partition}`
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    const writer = new PartitionWriter(this.#store, place)
    this.#partitions.set(name, writer)
    return writer
  }
}

class PartitionWriter {
  readonly #store: LmdbStore
  readonly #place: Place
  #head: Head
  /** The block being filled. */
  #baseOffset: number
  #before: Buffer | null = null
  #records: BlockRecord[] = []
  #usedBytes = EMPTY_BLOCK.usedBytes
  #bytesMax = BLOCK_BYTES_MAX

  constructor(store: LmdbStore, place: Place) {
    this.#store = store
    this.#place = place
    this.#head = store.headOf(place)
    this.#baseOffset = this.#head.end
    const last = this.#head.end > this.#head.start ? store.blockAt(place, this.#head.end) : null
    // A damaged one is left as it is, to be told when it is read.
    if (last === null || last.bytes.length > ONE_PAGE_BYTES || blockFault(last.bytes) !== null) return
    this.#baseOffset = last.baseOffset
    this.#before = last.bytes
    this.#usedBytes = headerOf(last.bytes).usedBytes
    this.#bytesMax = ONE_PAGE_BYTES
  }

  /** Returns the record's offset. */
  add(record: LogRecord): number {
    const bytes = recordBytes(record)
    const isEmpty = this.#before === null && this.#records.length === 0
    if (!isEmpty && this.#usedBytes + bytes > this.#bytesMax) this.#flush()
    const offset = this.#head.end
    const { timestampMs } = record
    this.#records.push({ timestampMs, record })
    this.#usedBytes += bytes
    this.#head = {
      ...this.#head,
      end: offset + 1,
      newest: Math.max(this.#head.newest ?? timestampMs, timestampMs),
    }
    return offset
  }

  finish(): void {
    this.#flush()
    this.#store.putHead(this.#place, this.#head)
  }

  #flush(): void {
    if (this.#records.length > 0) {
      const bytes = encodeBlock(this.#before, this.#records)
      this.#store.putBlock(this.#place, { baseOffset: this.#baseOffset, bytes })
      this.#head = { ...this.#head, bytes: this.#head.bytes + bytes.length - (this.#before?.length ?? 0) }
    }
    this.#baseOffset = this.#head.end
    this.#before = null
    this.#records = []
    this.#usedBytes = EMPTY_BLOCK.usedBytes
    this.#bytesMax = BLOCK_BYTES_MAX
  }
}
