/**
 * Hot loops in AssemblyScript with relaxed SIMD (WebAssembly relaxed-simd proposal). Matrices are float32, row after row;
 * a row has `width` columns, a multiple of 16; pointers are byte offsets in the shared memory. `src/kernels/plain.ts` is
 * the same in TypeScript, and the meaning of each function is told there.
 */

const FLOAT: usize = 4
const VECTOR: usize = 16

export function sparseTimesDense(
  starts: usize,
  columns: usize,
  values: usize,
  rowCount: u32,
  dense: usize,
  width: u32,
  out: usize,
): void {
  const rowBytes = <usize>width * FLOAT
  for (let row: u32 = 0; row < rowCount; row++) {
    const from = load<u32>(starts + ((<usize>row) << 2))
    const to = load<u32>(starts + ((<usize>row) << 2), 4)
    const target = out + <usize>row * rowBytes
    for (let block: usize = 0; block < rowBytes; block += 4 * VECTOR) {
      let a = f32x4.splat(0),
        b = a,
        c = a,
        d = a
      for (let n = from; n < to; n++) {
        const source = dense + <usize>load<u32>(columns + ((<usize>n) << 2)) * rowBytes + block
        const value = v128.load32_splat(values + ((<usize>n) << 2))
        a = f32x4.relaxed_madd(value, v128.load(source), a)
        b = f32x4.relaxed_madd(value, v128.load(source, 16), b)
        c = f32x4.relaxed_madd(value, v128.load(source, 32), c)
        d = f32x4.relaxed_madd(value, v128.load(source, 48), d)
      }
      v128.store(target + block, a)
      v128.store(target + block, b, 16)
      v128.store(target + block, c, 32)
      v128.store(target + block, d, 48)
    }
  }
}

/** Rows of a panel that stays in the second-level cache. */
const PANEL: u32 = 128

export function gram(matrix: usize, rowCount: u32, width: u32, out: usize): void {
  const rowBytes = <usize>width * FLOAT
  memory.fill(out, 0, <usize>width * rowBytes)
  for (let first: u32 = 0; first < rowCount; first += PANEL) {
    const end = min(rowCount, first + PANEL)
    const begin = matrix + <usize>first * rowBytes
    const stop = matrix + <usize>end * rowBytes
    for (let i: usize = 0; i < rowBytes; i += VECTOR) {
      // Tiles left of the diagonal are those right of it, mirrored.
      for (let j = i & ~(2 * VECTOR - 1); j < rowBytes; j += 2 * VECTOR) {
        const tile = out + (i >> 2) * rowBytes + j
        let a0 = v128.load(tile),
          a1 = v128.load(tile, 16)
        let b0 = v128.load(tile + rowBytes),
          b1 = v128.load(tile + rowBytes, 16)
        let c0 = v128.load(tile + 2 * rowBytes),
          c1 = v128.load(tile + 2 * rowBytes, 16)
        let d0 = v128.load(tile + 3 * rowBytes),
          d1 = v128.load(tile + 3 * rowBytes, 16)
        for (let row = begin; row < stop; row += rowBytes) {
          const left = row + i
          const u = v128.load(row + j)
          const v = v128.load(row + j, 16)
          const a = v128.load32_splat(left)
          a0 = f32x4.relaxed_madd(a, u, a0)
          a1 = f32x4.relaxed_madd(a, v, a1)
          const b = v128.load32_splat(left, 4)
          b0 = f32x4.relaxed_madd(b, u, b0)
          b1 = f32x4.relaxed_madd(b, v, b1)
          const c = v128.load32_splat(left, 8)
          c0 = f32x4.relaxed_madd(c, u, c0)
          c1 = f32x4.relaxed_madd(c, v, c1)
          const d = v128.load32_splat(left, 12)
          d0 = f32x4.relaxed_madd(d, u, d0)
          d1 = f32x4.relaxed_madd(d, v, d1)
        }
        v128.store(tile, a0)
        v128.store(tile, a1, 16)
        v128.store(tile + rowBytes, b0)
        v128.store(tile + rowBytes, b1, 16)
        v128.store(tile + 2 * rowBytes, c0)
        v128.store(tile + 2 * rowBytes, c1, 16)
        v128.store(tile + 3 * rowBytes, d0)
        v128.store(tile + 3 * rowBytes, d1, 16)
      }
    }
  }
  for (let i: usize = 1; i < width; i++)
    for (let j: usize = 0; j < i; j++)
      store<f32>(out + i * rowBytes + j * FLOAT, load<f32>(out + j * rowBytes + i * FLOAT))
}

export function multiply(
  matrix: usize,
  rowCount: u32,
  width: u32,
  other: usize,
  otherWidth: u32,
  out: usize,
): void {
  const rowBytes = <usize>width * FLOAT
  const otherBytes = <usize>otherWidth * FLOAT
  let row: u32 = 0
  for (; row + 4 <= rowCount; row += 4) {
    const source = matrix + <usize>row * rowBytes
    const target = out + <usize>row * otherBytes
    for (let j: usize = 0; j < otherBytes; j += 2 * VECTOR) {
      let a0 = f32x4.splat(0),
        a1 = a0,
        b0 = a0,
        b1 = a0,
        c0 = a0,
        c1 = a0,
        d0 = a0,
        d1 = a0
      let right = other + j
      for (let i: usize = 0; i < rowBytes; i += FLOAT) {
        const u = v128.load(right)
        const v = v128.load(right, 16)
        const a = v128.load32_splat(source + i)
        a0 = f32x4.relaxed_madd(a, u, a0)
        a1 = f32x4.relaxed_madd(a, v, a1)
        const b = v128.load32_splat(source + rowBytes + i)
        b0 = f32x4.relaxed_madd(b, u, b0)
        b1 = f32x4.relaxed_madd(b, v, b1)
        const c = v128.load32_splat(source + 2 * rowBytes + i)
        c0 = f32x4.relaxed_madd(c, u, c0)
        c1 = f32x4.relaxed_madd(c, v, c1)
        const d = v128.load32_splat(source + 3 * rowBytes + i)
        d0 = f32x4.relaxed_madd(d, u, d0)
        d1 = f32x4.relaxed_madd(d, v, d1)
        right += otherBytes
      }
      v128.store(target + j, a0)
      v128.store(target + j, a1, 16)
      v128.store(target + otherBytes + j, b0)
      v128.store(target + otherBytes + j, b1, 16)
      v128.store(target + 2 * otherBytes + j, c0)
      v128.store(target + 2 * otherBytes + j, c1, 16)
      v128.store(target + 3 * otherBytes + j, d0)
      v128.store(target + 3 * otherBytes + j, d1, 16)
    }
  }
  for (; row < rowCount; row++) {
    const source = matrix + <usize>row * rowBytes
    const target = out + <usize>row * otherBytes
    for (let j: usize = 0; j < otherBytes; j += VECTOR) {
      let sum = f32x4.splat(0)
      let right = other + j
      for (let i: usize = 0; i < rowBytes; i += FLOAT) {
        sum = f32x4.relaxed_madd(v128.load32_splat(source + i), v128.load(right), sum)
        right += otherBytes
      }
      v128.store(target + j, sum)
    }
  }
}

export function dotsOf(vector: usize, width: u32, matrix: usize, rows: usize, count: u32, out: usize): void {
  const rowBytes = <usize>width * FLOAT
  for (let n: u32 = 0; n < count; n++) {
    const row = matrix + <usize>load<u32>(rows + ((<usize>n) << 2)) * rowBytes
    let a = f32x4.splat(0),
      b = a,
      c = a,
      d = a
    for (let at: usize = 0; at < rowBytes; at += 4 * VECTOR) {
      a = f32x4.relaxed_madd(v128.load(vector + at), v128.load(row + at), a)
      b = f32x4.relaxed_madd(v128.load(vector + at, 16), v128.load(row + at, 16), b)
      c = f32x4.relaxed_madd(v128.load(vector + at, 32), v128.load(row + at, 32), c)
      d = f32x4.relaxed_madd(v128.load(vector + at, 48), v128.load(row + at, 48), d)
    }
    const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d))
    store<f32>(
      out + ((<usize>n) << 2),
      f32x4.extract_lane(sum, 0) +
        f32x4.extract_lane(sum, 1) +
        f32x4.extract_lane(sum, 2) +
        f32x4.extract_lane(sum, 3),
    )
  }
}
