/**
 * Hashes of 64 bits, and which of them came before. Tables of open addressing, each with twice the slots of the one before: one
 * that has no more room stays as it is, so that nothing is moved and no memory left behind. A slot holds the upper half of a
 * hash and stands where the lower half says: some 54 bits that two hashes must share to be taken for one another.
 */

const MULTIPLIER: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15
/** Slots of the first table: 4 MB. */
const FIRST_BITS: u32 = 20
/** As many as addresses can hold. */
const TABLES_MAX: u32 = 9
const tables = heap.alloc((<usize>TABLES_MAX) << 2)
let tableCount: u32 = 0
/** Hashes in the last table, and how many it has room for: three quarters of its slots. */
let count: u32 = 0
let room: u32 = 0

/** Never 0, nor 0 when shifted left by one. There must be 8 bytes of room after the text. */
export function hashOf(source: usize, byteCount: usize): u64 {
  let hash: u64 = MULTIPLIER ^ byteCount
  for (; byteCount >= 8; byteCount -= 8) {
    hash = mixed(hash ^ load<u64>(source))
    source += 8
  }
  if (byteCount > 0) hash = mixed(hash ^ (load<u64>(source) << (<u64>(64 - (byteCount << 3)))))
  return hash | 1
}

function mixed(hash: u64): u64 {
  const product = hash * MULTIPLIER
  return product ^ (product >>> 29)
}

/** Whether a hash was asked for before. */
export function isSeen(hash: u64): bool {
  const half = halfOf(hash)
  for (let table: u32 = 0; table < tableCount; table++)
    if (load<u32>(placeOf(table, hash, half)) === half) return true
  if (count === room) addTable()
  store<u32>(placeOf(tableCount - 1, hash, half), half)
  count++
  return false
}

/** Where a hash is looked for first, it is read. */
export function touch(hash: u64): u32 {
  let sum: u32 = 0
  for (let table: u32 = 0; table < tableCount; table++)
    sum += load<u32>(slotsOf(table) + ((<usize>firstSlot(table, hash)) << 2))
  return sum
}

/** Not 0, which says that a slot is free. */
function halfOf(hash: u64): u32 {
  return max(1, <u32>(hash >>> 32))
}

function slotsOf(table: u32): usize {
  return load<u32>(tables + ((<usize>table) << 2))
}

function firstSlot(table: u32, hash: u64): u32 {
  return (<u32>hash >>> 2) & ((1 << (FIRST_BITS + table)) - 1)
}

/** Where in a table the half stands, or else where it would. */
function placeOf(table: u32, hash: u64, half: u32): usize {
  const mask: u32 = (1 << (FIRST_BITS + table)) - 1
  const slots = slotsOf(table)
  let slot = firstSlot(table, hash)
  for (;;) {
    const seen = load<u32>(slots + ((<usize>slot) << 2))
    if (seen === 0 || seen === half) break
    slot = (slot + 1) & mask
  }
  return slots + ((<usize>slot) << 2)
}

function addTable(): void {
  if (tableCount === TABLES_MAX) unreachable()
  const slotCount: u32 = 1 << (FIRST_BITS + tableCount)
  // Of new memory, which is 0.
  store<u32>(tables + ((<usize>tableCount) << 2), <u32>heap.alloc((<usize>slotCount) << 2))
  tableCount++
  count = 0
  room = (slotCount >>> 2) * 3
}
