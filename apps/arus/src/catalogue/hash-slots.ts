import { BLOCK_VALUES, ColumnFile } from './column-file.ts'
import type { FlatBlocks } from './flat-file.ts'
import { KeyGroups } from './key-groups.ts'

/** Slots that are filled at once. */
const RANGE_BITS = 17

export interface HashSlotsOptions {
  /** New files begin with this name; the caller removes them. */
  readonly file: string
  /** A power of two, greater than there are hashes. */
  readonly slotCount: number
  /** Called with two numbers of one hash; throws where what was hashed is the same. */
  readonly refuseSame: (left: number, right: number) => void
  /** As many slots, a power of two, are filled at once. */
  readonly rangeBits?: number
}

/**
 * The slots of an open-addressing hash table, `number + 1` of each of the hashes, 0 for none (linear probing from
 * `hash & (slotCount - 1)` on): what a table in memory would have, whose slots are filled a range after the other.
 */
export class HashSlots implements FlatBlocks {
  readonly length: number
  readonly like = new Uint32Array(0)
  /** The slots of the first range, to which what goes beyond the last one comes. */
  #first: Uint32Array = new Uint32Array(0)
  /** Those of the others. */
  readonly #file: ColumnFile<Uint32Array>

  constructor(hashes: ColumnFile<Uint32Array>, options: HashSlotsOptions) {
    const { file, slotCount, rangeBits = RANGE_BITS } = options
    this.length = slotCount
    this.#file = new ColumnFile(file, Uint32Array)
    const isFilled = this.#fill(hashes, options, Math.min(rangeBits, Math.log2(slotCount)))
    // A first range without room for them takes hashes that are made to meet: then all slots are one range.
    if (!isFilled) this.#fill(hashes, { ...options, file: `${file}_at_once` }, Math.log2(slotCount))
  }

  *[Symbol.iterator](): Generator<Uint32Array> {
    yield this.#first
    const block = new Uint32Array(BLOCK_VALUES)
    const count = this.length - this.#first.length
    for (let first = 0; first < count; first += BLOCK_VALUES)
      yield this.#file.read(block, { first, count: Math.min(BLOCK_VALUES, count - first) })
  }

  close(): void {
    this.#file.close()
  }

  /** False where the first range has no room for what went beyond the last one. */
  #fill(hashes: ColumnFile<Uint32Array>, { file, refuseSame }: HashSlotsOptions, rangeBits: number): boolean {
    const groupCount = this.length >>> rangeBits
    const groups = new KeyGroups(hashes, { file, groupCount, mask: this.length - 1, shift: rangeBits })
    try {
      const first = new SlotRange(2 ** rangeBits, refuseSame)
      this.#first = first.slots
      let beyond = first.fill(groups, 0, [])
      const range = groupCount === 1 ? first : new SlotRange(2 ** rangeBits, refuseSame)
      for (let group = 1; group < groupCount; group++) {
        beyond = range.fill(groups, group, beyond)
        this.#file.append(range.slots)
      }
      return beyond.every(({ hash, number }) => first.put(hash, number, 0))
    } finally {
      groups.close()
    }
  }
}

interface Hashed {
  readonly hash: number
  readonly number: number
}

/** Neighbouring slots. */
class SlotRange {
  readonly slots: Uint32Array
  readonly #hashes: Uint32Array
  readonly #refuseSame: HashSlotsOptions['refuseSame']

  constructor(slotCount: number, refuseSame: HashSlotsOptions['refuseSame']) {
    this.slots = new Uint32Array(slotCount)
    this.#hashes = new Uint32Array(slotCount)
    this.#refuseSame = refuseSame
  }

  /**
   * Fills the slots with `before`, of which there was no more room before them, and with a group of hashes. Answers those that
   * there is no more room for.
   */
  fill(groups: KeyGroups, group: number, before: readonly Hashed[]): Hashed[] {
    this.slots.fill(0)
    const beyond = before.filter(({ hash, number }) => !this.put(hash, number, 0))
    const mask = this.slots.length - 1
    for (const { keys, numbers, first } of groups.of(group)) {
      for (let n = 0; n < keys.length; n++) {
        const hash = keys[n]!
        const number = first + numbers[n]!
        if (!this.put(hash, number, hash & mask)) beyond.push({ hash, number })
      }
    }
    return beyond
  }

  /** Puts a number into the next free slot from `slot` on; false where none is free. */
  put(hash: number, number: number, slot: number): boolean {
    const { slots } = this
    const hashes = this.#hashes
    for (; slot < slots.length; slot++) {
      const seen = slots[slot]!
      if (seen === 0) {
        slots[slot] = number + 1
        hashes[slot] = hash
        return true
      }
      if (hashes[slot] === hash) this.#refuseSame(seen - 1, number)
    }
    return false
  }
}
