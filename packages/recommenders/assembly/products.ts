import { addTile } from './tile'
import { addScaled, dot, FLOAT, VECTOR } from './vectors'

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
    const count = min(rowCount - first, PANEL)
    const panel = matrix + <usize>first * rowBytes
    for (let i: usize = 0; i < rowBytes; i += VECTOR)
      // Tiles left of the diagonal are those right of it, mirrored.
      for (let j = i & ~(2 * VECTOR - 1); j < rowBytes; j += 2 * VECTOR)
        addTile(
          panel + i,
          FLOAT,
          rowBytes,
          panel + j,
          rowBytes,
          count,
          out + (i >> 2) * rowBytes + j,
          rowBytes,
        )
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
  memory.fill(out, 0, <usize>rowCount * otherBytes)
  addProduct(matrix, rowBytes, rowCount, other, otherBytes, width, out, otherBytes, 0, otherBytes)
}

/**
 * out += matrix × other, in columns from `from` to `to` (bytes, a multiple of four vectors apart). `rowBytes`, `otherBytes` and `outBytes` are the
 * widths of the rows, of which `matrix` uses the first `count` columns and `other` has as many rows.
 */
export function addProduct(
  matrix: usize,
  rowBytes: usize,
  rowCount: u32,
  other: usize,
  otherBytes: usize,
  count: u32,
  out: usize,
  outBytes: usize,
  from: usize,
  to: usize,
): void {
  let row: usize = 0
  for (; row + 4 <= <usize>rowCount; row += 4)
    for (let j = from; j < to; j += 2 * VECTOR)
      addTile(
        matrix + row * rowBytes,
        rowBytes,
        FLOAT,
        other + j,
        otherBytes,
        count,
        out + row * outBytes + j,
        outBytes,
      )
  for (; row < <usize>rowCount; row++)
    for (let k: usize = 0; k < <usize>count; k++)
      addScaled(
        out + row * outBytes + from,
        load<f32>(matrix + row * rowBytes + k * FLOAT),
        other + k * otherBytes + from,
        to - from,
      )
}

export function dotsOf(vector: usize, width: u32, matrix: usize, rows: usize, count: u32, out: usize): void {
  const rowBytes = <usize>width * FLOAT
  for (let n: u32 = 0; n < count; n++) {
    const row = matrix + <usize>load<u32>(rows + ((<usize>n) << 2)) * rowBytes
    store<f32>(out + ((<usize>n) << 2), dot(vector, row, rowBytes))
  }
}
