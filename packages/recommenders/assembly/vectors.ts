/** Bytes of a float, and of the four that an instruction works on. */
export const FLOAT: usize = 4
export const VECTOR: usize = 16

/** target += factor × source; `bytes` is a multiple of four vectors. */
export function addScaled(target: usize, factor: f32, source: usize, bytes: usize): void {
  const by = f32x4.splat(factor)
  for (let at: usize = 0; at < bytes; at += 4 * VECTOR) {
    v128.store(target + at, f32x4.relaxed_madd(by, v128.load(source + at), v128.load(target + at)))
    v128.store(
      target + at,
      f32x4.relaxed_madd(by, v128.load(source + at, 16), v128.load(target + at, 16)),
      16,
    )
    v128.store(
      target + at,
      f32x4.relaxed_madd(by, v128.load(source + at, 32), v128.load(target + at, 32)),
      32,
    )
    v128.store(
      target + at,
      f32x4.relaxed_madd(by, v128.load(source + at, 48), v128.load(target + at, 48)),
      48,
    )
  }
}

/** Dot product; `bytes` is a multiple of four vectors. */
export function dot(left: usize, right: usize, bytes: usize): f32 {
  let a = f32x4.splat(0),
    b = a,
    c = a,
    d = a
  for (let at: usize = 0; at < bytes; at += 4 * VECTOR) {
    a = f32x4.relaxed_madd(v128.load(left + at), v128.load(right + at), a)
    b = f32x4.relaxed_madd(v128.load(left + at, 16), v128.load(right + at, 16), b)
    c = f32x4.relaxed_madd(v128.load(left + at, 32), v128.load(right + at, 32), c)
    d = f32x4.relaxed_madd(v128.load(left + at, 48), v128.load(right + at, 48), d)
  }
  return sumOf(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)))
}

/** Sum of the lanes. */
export function sumOf(vector: v128): f32 {
  return (
    f32x4.extract_lane(vector, 0) +
    f32x4.extract_lane(vector, 1) +
    f32x4.extract_lane(vector, 2) +
    f32x4.extract_lane(vector, 3)
  )
}
