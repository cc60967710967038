/**
 * Numbers from 0 to 1, equally likely, always the same from the same seed: a 32-bit Weyl sequence (step 0x9e3779b9)
 * through the finaliser of MurmurHash3 (Appleby), which is a bijection that mixes every bit.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

/** Numbers of the standard normal distribution (Box and Muller, Annals of Mathematical Statistics 1958). */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
