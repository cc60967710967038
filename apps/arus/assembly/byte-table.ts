/**
 * What `ByteTable` of `apps/arus/src/catalogue/byte-table.ts` reads, made in linear memory: the same layout and the same hash.
 */

const SLOTS_AT_FIRST: u32 = 1 << 12
/** Bytes that may be read beyond a text's end. */
export const SLACK: usize = 8

@unmanaged
export class ByteTable {
  bytes: usize
  byteCapacity: usize
  /** String n is `bytes[ends[n], ends[n + 1])`: a 0 stands before the first end. */
  ends: usize
  endCapacity: u32
  slots: usize
  slotCapacity: u32
  slotCount: u32
  count: u32
}

/** Strings that there is room for from the start. What is not written to takes no memory, and what is grown out of is not given back. */
export const STRINGS_RESERVED: u32 = 1 << 20
const BYTES_RESERVED: usize = 1 << 24

export function emptyTable(): ByteTable {
  const table = changetype<ByteTable>(heap.alloc(offsetof<ByteTable>()))
  table.byteCapacity = BYTES_RESERVED
  table.bytes = heap.alloc(table.byteCapacity + SLACK)
  table.endCapacity = STRINGS_RESERVED
  table.ends = heap.alloc((<usize>table.endCapacity) << 2)
  store<u32>(table.ends, 0)
  table.slotCapacity = STRINGS_RESERVED << 1
  // Of new memory, which is 0.
  table.slots = heap.alloc((<usize>table.slotCapacity) << 2)
  table.slotCount = SLOTS_AT_FIRST
  table.count = 0
  return table
}

export function zeros(byteCount: usize): usize {
  const place = heap.alloc(byteCount)
  memory.fill(place, 0, byteCount)
  return place
}

/** FNV-1a with a final mix: see `byte-table.ts`. */
export function hashOf(source: usize, length: usize): u32 {
  let hash: u32 = 0x811c9dc5
  for (let at = source, end = source + length; at < end; at++) hash = (hash ^ load<u8>(at)) * 0x01000193
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b
  return hash ^ (hash >>> 13)
}

/** Number of the string of `length` bytes at `source`, given a number when it is new. */
export function intern(table: ByteTable, source: usize, length: usize): u32 {
  // Slots are taken up to three in five, which no power of two is a multiple of.
  if (<u64>table.count * 5 >= <u64>table.slotCount * 3) growSlots(table)
  const mask = table.slotCount - 1
  let slot = hashOf(source, length) & mask
  for (;;) {
    const seen = load<u32>(table.slots + ((<usize>slot) << 2))
    if (seen === 0) break
    const ends = table.ends + ((<usize>seen) << 2)
    const start = <usize>load<u32>(ends - 4)
    if (<usize>load<u32>(ends) - start === length && isSame(table.bytes + start, source, length))
      return seen - 1
    slot = (slot + 1) & mask
  }
  const number = append(table, source, length)
  store<u32>(table.slots + ((<usize>slot) << 2), number + 1)
  return number
}

function isSame(left: usize, right: usize, length: usize): bool {
  while (length >= 8) {
    if (load<u64>(left) !== load<u64>(right)) return false
    left += 8
    right += 8
    length -= 8
  }
  // The bytes beyond the end are shifted out.
  return length === 0 || (load<u64>(left) ^ load<u64>(right)) << (<u64>(64 - (length << 3))) === 0
}

function append(table: ByteTable, source: usize, length: usize): u32 {
  const number = table.count++
  if (number + 1 >= table.endCapacity) {
    table.endCapacity <<= 1
    table.ends = heap.realloc(table.ends, (<usize>table.endCapacity) << 2)
  }
  const place = table.ends + ((<usize>number) << 2)
  const start = <usize>load<u32>(place)
  const end = start + length
  if (end > table.byteCapacity) {
    table.byteCapacity = max(table.byteCapacity << 1, end)
    table.bytes = heap.realloc(table.bytes, table.byteCapacity + SLACK)
  }
  // Eight bytes at a time: what is beyond the end is written over, or in the slack.
  const target = table.bytes + start
  for (let at: usize = 0; at < length; at += 8) store<u64>(target + at, load<u64>(source + at))
  store<u32>(place, <u32>end, 4)
  return number
}

function growSlots(table: ByteTable): void {
  const slotCount = table.slotCount << 1
  if (slotCount > table.slotCapacity) {
    table.slotCapacity = slotCount
    table.slots = heap.alloc((<usize>slotCount) << 2)
  }
  // Strings are put in anew, not moved: the slots may be those of before.
  const slots = table.slots
  memory.fill(slots, 0, (<usize>slotCount) << 2)
  const mask = slotCount - 1
  for (let number: u32 = 0; number < table.count; number++) {
    const ends = table.ends + ((<usize>number) << 2)
    const start = <usize>load<u32>(ends)
    let slot = hashOf(table.bytes + start, <usize>load<u32>(ends, 4) - start) & mask
    while (load<u32>(slots + ((<usize>slot) << 2)) !== 0) slot = (slot + 1) & mask
    store<u32>(slots + ((<usize>slot) << 2), number + 1)
  }
  table.slotCount = slotCount
}
