/** What goes wrong with a call. Which of these a method can suffer depends on what its contract allows. */
export type FaultKind =
  /** Nothing happens, and the caller is told so. */
  | 'before'
  /** It happens, and the caller is told that it is not known. */
  | 'after'
  /** The caller is told that it is not known, and it happens some time after that. */
  | 'late'
  /** A part of it happens. */
  | 'tear'
  /** It happens after a wait in which others go ahead. */
  | 'delay'
  /** It happens twice, as when a retry and its original both arrive. */
  | 'duplicate'

/** Decides the fault of a call from its name and how many calls of that name there were before it. */
export type FaultPlan<Kind extends string = FaultKind> = (method: string, index: number) => Kind | null

/** No faults. */
export const NO_FAULTS: FaultPlan<never> = () => null

/** One fault: at the call of a method with that index. */
export function faultAt<Kind extends string>(method: string, index: number, kind: Kind): FaultPlan<Kind> {
  return (called, at) => (called === method && at === index ? kind : null)
}

/** A share of all calls suffers one of the kinds, the same calls for the same seed. */
export function seededFaults<Kind extends string>(
  seed: number,
  { share, kinds }: { readonly share: number; readonly kinds: readonly Kind[] },
): FaultPlan<Kind> {
  const random = seededRandom(seed)
  return () => {
    const [hits, which] = [random() < share, random()]
    return hits ? (kinds[Math.floor(which * kinds.length)] ?? null) : null
  }
}

/** Numbers in [0, 1) that follow from a seed ("mulberry32", T. Ettinger 2017, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
