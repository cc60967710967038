import type { ExperimentPlan, Variant } from './experiment.ts'

/**
 * MurmurHash3, x86, 32 bits (Appleby, public domain) with seed 0, of a text's UTF-8 bytes; 0 to 2³² − 1. Not FNV-1a, which
 * mixes the last letters of a text badly, where shoppers 1, 2, 3, … differ.
 */
export function murmur3(text: string): number {
  const bytes = Buffer.from(text, 'utf8')
  const wholeLength = bytes.length & ~3
  let hash = 0
  for (let at = 0; at < wholeLength; at += 4) {
    hash ^= scrambled(bytes.readUInt32LE(at))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= wholeLength; at--) tail = (tail << 8) | bytes[at]!
  if (bytes.length > wholeLength) hash ^= scrambled(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function scrambled(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

/** A place in [0, 1) that depends on nothing but the experiment, the purpose and the unit. */
function placeOf(experimentId: string, purpose: string, unit: string): number {
  return murmur3(`${experimentId}/${purpose}/${unit}`) / 2 ** 32
}

/** Whether a unit is among the share of traffic. A larger share keeps who was in. */
export function isInTraffic(id: string, traffic: number, unit: string): boolean {
  return placeOf(id, 'traffic', unit) < traffic
}

/**
 * The variant a unit belongs to, or null outside of the experiment's traffic. A function of the experiment's id and the unit:
 * nothing is stored, so it is the same after a restart, in every process, and whatever other experiments do.
 */
export function assign(
  { id, traffic, variants }: Pick<ExperimentPlan, 'traffic' | 'variants'> & { readonly id: string },
  unit: string,
): Variant | null {
  if (!isInTraffic(id, traffic, unit)) return null
  const total = variants.reduce((sum, { share }) => sum + share, 0)
  let left = placeOf(id, 'variant', unit) * total
  for (const variant of variants) {
    left -= variant.share
    if (left < 0) return variant
  }
  return variants.at(-1) ?? null
}
