import { mkdirSync, statfsSync } from 'node:fs'
import { type Database, open, type RootDatabase } from 'lmdb'
import { headerOf, PAGE_BYTES } from './block-format.ts'
import { EventLogError } from './errors.ts'
import { committed } from './lmdb-commit.ts'

export interface Topic {
  readonly id: number
  readonly partitionCount: number
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
}

/** A topic is never removed, and keeps its partitions. */
export type LastingTopic = Pick<Topic, 'id' | 'partitionCount'>

/** State of a partition; offsets as in `PartitionInfo`. */
export interface Head {
  readonly start: number
  readonly end: number
  readonly newest: number | null
  /** On disk. */
  readonly bytes: number
}

/** One partition of a topic, by number. */
export interface Place {
  readonly topicId: number
  readonly partition: number
}

/** Records that stand together, from `baseOffset` on. */
export interface Block {
  readonly baseOffset: number
  readonly bytes: Buffer
}

const ROOM_BYTES_MIN = 1024 * 1024
const EMPTY_HEAD: Head = { start: 0, end: 0, newest: null, bytes: 0 }

/** The tables of a log in LMDB. Methods that put or remove run inside `write`. */
export class LmdbStore {
  readonly root: RootDatabase<unknown, string>
  readonly topics: Database<Topic, string>
  /** Committed offsets, by group, topic and partition. */
  readonly offsets: Database<number, string[]>
  readonly #folder: string
  readonly #blocks: Database<Buffer, Buffer>
  readonly #heads: Database<Head, string>
  /** Asked for with every record. */
  readonly #known = new Map<string, LastingTopic>()

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.root = open({
      path: folder,
      maxDbs: 8,
      overlappingSync: false,
      eventTurnBatching: false,
      pageSize: PAGE_BYTES,
    })
    if ([...this.root.getKeys()].includes('entries')) {
      void this.root.close()
      throw new EventLogError(
        'LOG_FORMAT_UNKNOWN',
        `The log in ${folder} was written by an earlier version, record by record; move that folder away to begin a new log`,
      )
    }
    this.#blocks = this.root.openDB({ name: 'blocks', keyEncoding: 'binary', encoding: 'binary' })
    this.topics = this.root.openDB({ name: 'topics' })
    this.#heads = this.root.openDB({ name: 'heads' })
    this.offsets = this.root.openDB({ name: 'offsets' })
  }

  /** Runs `work` in a transaction; resolves when it is on disk, throws why it could not be committed. */
  write<T>(work: () => T): Promise<T> {
    return committed(this.root.transaction(work))
  }

  /** A disk that fills up in the middle of a write is told as an I/O error. */
  get isDiskFull(): boolean {
    const { bavail, bsize } = statfsSync(this.#folder)
    return bavail * bsize < ROOM_BYTES_MIN
  }

  /** What of a topic never changes. Throws `LOG_TOPIC_UNKNOWN`. */
  known(topic: string): LastingTopic {
    const known = this.#known.get(topic) ?? this.topics.get(topic)
    if (known !== undefined) {
      this.#known.set(topic, known)
      return known
    }
    const names = [...this.topics.getKeys()].join(', ') || 'none'
    throw new EventLogError('LOG_TOPIC_UNKNOWN', `No topic is called "${topic}"; there are: ${names}`)
  }

  headOf({ topicId, partition }: Place): Head {
    return this.#heads.get(`${topicId}/${partition}`) ?? EMPTY_HEAD
  }

  putHead({ topicId, partition }: Place, head: Head): void {
    void this.#heads.put(`${topicId}/${partition}`, head)
  }

  /** The block that holds an offset, or the last one before it. */
  blockAt(place: Place, offset: number): Block | null {
    const range = { start: blockKey(place, offset), reverse: true, limit: 1 }
    for (const { key, value } of this.#blocks.getRange(range)) {
      if (isOf(place, key)) return { baseOffset: offsetOf(key), bytes: value }
    }
    return null
  }

  /** Blocks with entries from one offset up to another (exclusive), in order. */
  *blocks(place: Place, from: number, to: number): Generator<Block> {
    if (from >= to) return
    const first = this.blockAt(place, from)
    const holdsFrom = first !== null && first.baseOffset + headerOf(first.bytes).count > from
    const start = holdsFrom ? first.baseOffset : from
    for (const { key, value } of this.#blocks.getRange({
      start: blockKey(place, start),
      end: blockKey(place, to),
    }))
      yield { baseOffset: offsetOf(key), bytes: value }
  }

  /** Every block that begins before an offset, in order, whatever its header says. */
  *rawBlocks(place: Place, to: number): Generator<Block> {
    for (const { key, value } of this.#blocks.getRange({
      start: blockKey(place, 0),
      end: blockKey(place, to),
    }))
      yield { baseOffset: offsetOf(key), bytes: value }
  }

  putBlock(place: Place, { baseOffset, bytes }: Block): void {
    void this.#blocks.put(blockKey(place, baseOffset), bytes)
  }

  removeBlock(place: Place, baseOffset: number): void {
    void this.#blocks.remove(blockKey(place, baseOffset))
  }
}

/** Topic (u16), partition (u16), offset (u64), big-endian, so that order of bytes is order of offsets. */
function blockKey({ topicId, partition }: Place, offset: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUInt16BE(topicId, 0)
  key.writeUInt16BE(partition, 2)
  key.writeBigUInt64BE(BigInt(offset), 4)
  return key
}

function isOf({ topicId, partition }: Place, key: Buffer): boolean {
  return key.readUInt16BE(0) === topicId && key.readUInt16BE(2) === partition
}

function offsetOf(key: Buffer): number {
  return Number(key.readBigUInt64BE(4))
}
