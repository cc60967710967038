/** A repeatable stream of random numbers: the same seed gives the same stream on every machine. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform whole number in [0, bound). */
  below(bound: number): number
  /** Standard normal. */
  normal(): number
}

/**
 * SFC32 (Chris Doty-Humphrey's PractRand, "Small Fast Chaotic"), seeded by SplitMix32 and warmed up; normal deviates by
 * Marsaglia's polar method, the second one kept for the next call. Not for secrets.
 */
export function seededRandom(seed: number): SeededRandom {
  let mixed = seed | 0
  const split = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let a = split()
  let b = split()
  let c = split()
  let counter = 1
  let spare = Number.NaN

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }

  function normal(): number {
    if (!Number.isNaN(spare)) {
      const value = spare
      spare = Number.NaN
      return value
    }
    for (;;) {
      const u = 2 * next() - 1
      const v = 2 * next() - 1
      const s = u * u + v * v
      if (s >= 1 || s === 0) continue
      const factor = Math.sqrt((-2 * Math.log(s)) / s)
      spare = v * factor
      return u * factor
    }
  }

  for (let i = 0; i < 16; i++) next()
  return { next, below: (bound) => Math.floor(next() * bound), normal }
}
