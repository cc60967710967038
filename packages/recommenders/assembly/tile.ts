import { VECTOR } from './vectors'

/**
 * out += left × right, for four rows of `out` and the eight columns at `out`: what a product of dense matrices is made of, since
 * these eight vectors stay in registers. Steps are bytes: `leftRow` from a row of the product to the next, `leftStep` and
 * `rightStep` from one of the `count` summands to the next.
 */
export function addTile(
  left: usize,
  leftRow: usize,
  leftStep: usize,
  right: usize,
  rightStep: usize,
  count: usize,
  out: usize,
  outRow: usize,
): void {
  const left1 = left + leftRow
  const left2 = left1 + leftRow
  const left3 = left2 + leftRow
  const out1 = out + outRow
  const out2 = out1 + outRow
  const out3 = out2 + outRow
  let a0 = v128.load(out),
    a1 = v128.load(out, VECTOR)
  let b0 = v128.load(out1),
    b1 = v128.load(out1, VECTOR)
  let c0 = v128.load(out2),
    c1 = v128.load(out2, VECTOR)
  let d0 = v128.load(out3),
    d1 = v128.load(out3, VECTOR)
  const stop = count * leftStep
  for (let at: usize = 0; at < stop; at += leftStep) {
    const u = v128.load(right)
    const v = v128.load(right, VECTOR)
    const a = v128.load32_splat(left + at)
    a0 = f32x4.relaxed_madd(a, u, a0)
    a1 = f32x4.relaxed_madd(a, v, a1)
    const b = v128.load32_splat(left1 + at)
    b0 = f32x4.relaxed_madd(b, u, b0)
    b1 = f32x4.relaxed_madd(b, v, b1)
    const c = v128.load32_splat(left2 + at)
    c0 = f32x4.relaxed_madd(c, u, c0)
    c1 = f32x4.relaxed_madd(c, v, c1)
    const d = v128.load32_splat(left3 + at)
    d0 = f32x4.relaxed_madd(d, u, d0)
    d1 = f32x4.relaxed_madd(d, v, d1)
    right += rightStep
  }
  v128.store(out, a0)
  v128.store(out, a1, VECTOR)
  v128.store(out1, b0)
  v128.store(out1, b1, VECTOR)
  v128.store(out2, c0)
  v128.store(out2, c1, VECTOR)
  v128.store(out3, d0)
  v128.store(out3, d1, VECTOR)
}
