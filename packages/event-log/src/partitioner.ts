const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/**
 * The partition of a key: murmur2 of its UTF-8 bytes, made positive, modulo the count. The same as Apache Kafka's
 * default partitioner (`org.apache.kafka.common.utils.Utils.murmur2`), so that a key keeps its partition when a shop
 * moves from the embedded log to Kafka.
 */
export function partitionOf(key: string, partitionCount: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitionCount
}

/** MurmurHash2, 32 bits, with Kafka's seed; signed. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = SEED ^ length
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let index = 0
  for (; index + 4 <= length; index += 4) {
    let word = Math.imul(view.getInt32(index, true), MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (length - index === 3) hash ^= bytes[index + 2]! << 16
  if (length - index >= 2) hash ^= bytes[index + 1]! << 8
  if (length - index >= 1) {
    hash ^= bytes[index]!
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}
