/** Hashes of 64 bits, and which of them came before. */

const MULTIPLIER: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15
let slotCount: u32 = 1 << 16
let slots: usize = zeros((<usize>slotCount) << 3)
let count: u32 = 0

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

/** Whether a hash, not 0, was asked for before. */
export function isSeen(hash: u64): bool {
  if (<u64>count * 2 >= slotCount) grow()
  const place = placeOf(hash)
  if (load<u64>(place) === hash) return true
  store<u64>(place, hash)
  count++
  return false
}

/** What stands where a hash is looked for first. */
export function slotOf(hash: u64): u64 {
  return load<u64>(slots + ((<usize>(<u32>(hash >>> 20) & (slotCount - 1))) << 3))
}

/** Where the hash stands, or else where it would. */
function placeOf(hash: u64): usize {
  const mask = slotCount - 1
  let slot = <u32>(hash >>> 20) & mask
  for (;;) {
    const seen = load<u64>(slots + ((<usize>slot) << 3))
    if (seen === 0 || seen === hash) break
    slot = (slot + 1) & mask
  }
  return slots + ((<usize>slot) << 3)
}

function grow(): void {
  const old = slots
  const oldCount = slotCount
  slotCount <<= 1
  slots = zeros((<usize>slotCount) << 3)
  for (let slot: u32 = 0; slot < oldCount; slot++) {
    const hash = load<u64>(old + ((<usize>slot) << 3))
    if (hash !== 0) store<u64>(placeOf(hash), hash)
  }
}

function zeros(byteCount: usize): usize {
  const place = heap.alloc(byteCount)
  memory.fill(place, 0, byteCount)
  return place
}
