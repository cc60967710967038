/** Weights that count: sums of as many as there can be do not overflow float32. */
export const WEIGHT_MAX = 1e24

/** False for what is not a number, or so large that sums of it are none. */
export function doesCount(weight: number): boolean {
  return Math.abs(weight) <= WEIGHT_MAX
}
