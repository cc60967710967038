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

/** Sum of the lanes. */
function sumOf(vector: v128): f32 {
  return (
    f32x4.extract_lane(vector, 0) +
    f32x4.extract_lane(vector, 1) +
    f32x4.extract_lane(vector, 2) +
    f32x4.extract_lane(vector, 3)
  )
}

export function cholesky(matrix: usize, size: u32, width: u32): u32 {
  const rowBytes = <usize>width * FLOAT
  for (let i: u32 = 0; i < size; i++) {
    const own = matrix + <usize>i * rowBytes
    for (let j: u32 = 0; j <= i; j += 4) {
      // Dots with four rows over the columns before them, then the triangle that is left.
      const above = matrix + <usize>j * rowBytes
      const end = <usize>j * FLOAT
      let a = f32x4.splat(0),
        b = a,
        c = a,
        d = a
      for (let at: usize = 0; at < end; at += VECTOR) {
        const row = v128.load(own + at)
        a = f32x4.relaxed_madd(row, v128.load(above + at), a)
        b = f32x4.relaxed_madd(row, v128.load(above + rowBytes + at), b)
        c = f32x4.relaxed_madd(row, v128.load(above + 2 * rowBytes + at), c)
        d = f32x4.relaxed_madd(row, v128.load(above + 3 * rowBytes + at), d)
      }
      const last = min(j + 3, i)
      for (let column = j; column <= last; column++) {
        const which = column - j
        const dots = which === 0 ? a : which === 1 ? b : which === 2 ? c : d
        const other = matrix + <usize>column * rowBytes
        let sum = load<f32>(own + <usize>column * FLOAT) - sumOf(dots)
        for (let k = j; k < column; k++)
          sum -= load<f32>(own + <usize>k * FLOAT) * load<f32>(other + <usize>k * FLOAT)
        if (column < i)
          store<f32>(own + <usize>column * FLOAT, sum / load<f32>(other + <usize>column * FLOAT))
        else if (sum > 0) store<f32>(own + <usize>column * FLOAT, sqrt(sum))
        else return i
      }
    }
  }
  return size
}

export function solve(factor: usize, size: u32, width: u32, vector: usize): void {
  const rowBytes = <usize>width * FLOAT
  for (let i: usize = 0; i < size; i++) {
    const row = factor + i * rowBytes
    const vectorEnd = (i & ~3) * FLOAT
    let dots = f32x4.splat(0)
    for (let at: usize = 0; at < vectorEnd; at += VECTOR)
      dots = f32x4.relaxed_madd(v128.load(row + at), v128.load(vector + at), dots)
    let sum = load<f32>(vector + i * FLOAT) - sumOf(dots)
    for (let k = i & ~3; k < i; k++) sum -= load<f32>(row + k * FLOAT) * load<f32>(vector + k * FLOAT)
    store<f32>(vector + i * FLOAT, sum / load<f32>(row + i * FLOAT))
  }
  for (let n: usize = size; n > 0; n--) {
    const i = n - 1
    const row = factor + i * rowBytes
    const x = load<f32>(vector + i * FLOAT) / load<f32>(row + i * FLOAT)
    store<f32>(vector + i * FLOAT, x)
    const vectorEnd = (i & ~3) * FLOAT
    const minus = f32x4.splat(-x)
    for (let at: usize = 0; at < vectorEnd; at += VECTOR)
      v128.store(vector + at, f32x4.relaxed_madd(minus, v128.load(row + at), v128.load(vector + at)))
    for (let k = i & ~3; k < i; k++)
      store<f32>(vector + k * FLOAT, load<f32>(vector + k * FLOAT) - x * load<f32>(row + k * FLOAT))
  }
}

/** Rows that are eliminated at once, and columns of a panel that stays in the second-level cache. */
const BLOCK: u32 = 64
const PANEL_COLUMNS: usize = 256

/** `scratch` has room for BLOCK × width + rows × BLOCK + BLOCK × BLOCK floats. */
export function inverse(matrix: usize, size: u32, width: u32, scratch: usize): void {
  const rowBytes = <usize>width * FLOAT
  const across = scratch
  const down = across + <usize>BLOCK * rowBytes
  const pivots = down + <usize>size * <usize>BLOCK * FLOAT
  for (let first: u32 = 0; first < size; first += BLOCK) {
    const count = min(BLOCK, size - first)
    invertPivots(matrix + <usize>first * (rowBytes + FLOAT), rowBytes, count, pivots)
    // Across: the inverse of the pivots × their rows, and that inverse itself below the pivots.
    for (let row: usize = 0; row < count; row++) {
      const target = across + row * rowBytes
      memory.fill(target, 0, rowBytes)
      for (let k: usize = 0; k < count; k++)
        addScaled(
          target,
          load<f32>(pivots + (row * BLOCK + k) * FLOAT),
          matrix + (first + k) * rowBytes,
          rowBytes,
        )
      memory.copy(target + first * FLOAT, pivots + row * BLOCK * FLOAT, count * FLOAT)
    }
    // Down: the columns of the pivots, taken out of the matrix.
    for (let row: usize = 0; row < size; row++) {
      const source = matrix + row * rowBytes + first * FLOAT
      const target = down + row * BLOCK * FLOAT
      memory.copy(target, source, count * FLOAT)
      memory.fill(source, 0, count * FLOAT)
    }
    for (let from: usize = 0; from < rowBytes; from += PANEL_COLUMNS * FLOAT)
      subtractProduct(
        matrix,
        size,
        rowBytes,
        from,
        min(rowBytes, from + PANEL_COLUMNS * FLOAT),
        down,
        across,
        count,
      )
    memory.copy(matrix + <usize>first * rowBytes, across, <usize>count * rowBytes)
  }
}

/** matrix -= down × across, in columns from `from` to `to` (bytes). */
function subtractProduct(
  matrix: usize,
  rowCount: u32,
  rowBytes: usize,
  from: usize,
  to: usize,
  down: usize,
  across: usize,
  count: u32,
): void {
  const downBytes = <usize>BLOCK * FLOAT
  const countBytes = <usize>count * FLOAT
  let row: usize = 0
  for (; row + 4 <= rowCount; row += 4) {
    const left = down + row * downBytes
    const target = matrix + row * rowBytes
    for (let j = from; j < to; j += 2 * VECTOR) {
      const tile = target + j
      let a0 = v128.load(tile),
        a1 = v128.load(tile, 16)
      let b0 = v128.load(tile + rowBytes),
        b1 = v128.load(tile + rowBytes, 16)
      let c0 = v128.load(tile + 2 * rowBytes),
        c1 = v128.load(tile + 2 * rowBytes, 16)
      let d0 = v128.load(tile + 3 * rowBytes),
        d1 = v128.load(tile + 3 * rowBytes, 16)
      let right = across + j
      for (let k: usize = 0; k < countBytes; k += FLOAT) {
        const u = v128.load(right)
        const v = v128.load(right, 16)
        const a = v128.load32_splat(left + k)
        a0 = f32x4.relaxed_nmadd(a, u, a0)
        a1 = f32x4.relaxed_nmadd(a, v, a1)
        const b = v128.load32_splat(left + downBytes + k)
        b0 = f32x4.relaxed_nmadd(b, u, b0)
        b1 = f32x4.relaxed_nmadd(b, v, b1)
        const c = v128.load32_splat(left + 2 * downBytes + k)
        c0 = f32x4.relaxed_nmadd(c, u, c0)
        c1 = f32x4.relaxed_nmadd(c, v, c1)
        const d = v128.load32_splat(left + 3 * downBytes + k)
        d0 = f32x4.relaxed_nmadd(d, u, d0)
        d1 = f32x4.relaxed_nmadd(d, v, d1)
        right += rowBytes
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
  for (; row < rowCount; row++)
    for (let k: usize = 0; k < count; k++)
      addScaled(
        matrix + row * rowBytes + from,
        -load<f32>(down + row * downBytes + k * FLOAT),
        across + k * rowBytes + from,
        to - from,
      )
}

/** The inverse of a positive definite block, in rows of BLOCK floats, by elimination. */
function invertPivots(matrix: usize, rowBytes: usize, count: u32, out: usize): void {
  const outBytes = <usize>BLOCK * FLOAT
  for (let row: usize = 0; row < count; row++)
    memory.copy(out + row * outBytes, matrix + row * rowBytes, <usize>count * FLOAT)
  for (let k: usize = 0; k < count; k++) {
    const pivotRow = out + k * outBytes
    const reciprocal: f32 = 1 / load<f32>(pivotRow + k * FLOAT)
    store<f32>(pivotRow + k * FLOAT, 1)
    for (let j: usize = 0; j < count; j++)
      store<f32>(pivotRow + j * FLOAT, load<f32>(pivotRow + j * FLOAT) * reciprocal)
    for (let row: usize = 0; row < count; row++) {
      if (row === k) continue
      const target = out + row * outBytes
      const factor = load<f32>(target + k * FLOAT)
      store<f32>(target + k * FLOAT, 0)
      for (let j: usize = 0; j < count; j++)
        store<f32>(
          target + j * FLOAT,
          load<f32>(target + j * FLOAT) - factor * load<f32>(pivotRow + j * FLOAT),
        )
    }
  }
}

/** target += factor × source; `bytes` is a multiple of four vectors. */
function addScaled(target: usize, factor: f32, source: usize, bytes: usize): void {
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

function dot(left: usize, right: usize, bytes: usize): f32 {
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

/** Rows whose products with the Gram matrix are made at once; `scratch` has room for 3 × ROWS × width floats. */
const ROWS: u32 = 64

export function leastSquares(
  starts: usize,
  columns: usize,
  values: usize,
  rowCount: u32,
  factors: usize,
  width: u32,
  gramMatrix: usize,
  ridges: usize,
  steps: u32,
  out: usize,
  scratch: usize,
): void {
  const rowBytes = <usize>width * FLOAT
  const residuals = scratch
  const directions = residuals + <usize>ROWS * rowBytes
  const products = directions + <usize>ROWS * rowBytes
  for (let first: u32 = 0; first < rowCount; first += ROWS) {
    const count = min(ROWS, rowCount - first)
    const solutions = out + <usize>first * rowBytes
    multiply(solutions, count, width, gramMatrix, width, products)
    for (let n: usize = 0; n < count; n++) {
      const at = starts + (<usize>first + n) * 4
      const x = solutions + n * rowBytes
      const residual = residuals + n * rowBytes
      memory.fill(residual, 0, rowBytes)
      addScaled(residual, -1, products + n * rowBytes, rowBytes)
      addScaled(residual, -load<f32>(ridges + (<usize>first + n) * FLOAT), x, rowBytes)
      for (let m: usize = load<u32>(at); m < load<u32>(at, 4); m++) {
        const factor = factors + <usize>load<u32>(columns + m * 4) * rowBytes
        addScaled(residual, load<f32>(values + m * FLOAT) * (1 - dot(factor, x, rowBytes)), factor, rowBytes)
      }
      memory.copy(directions + n * rowBytes, residual, rowBytes)
    }
    for (let step: u32 = 0; step < steps; step++) {
      multiply(directions, count, width, gramMatrix, width, products)
      for (let n: usize = 0; n < count; n++) {
        const at = starts + (<usize>first + n) * 4
        const direction = directions + n * rowBytes
        const residual = residuals + n * rowBytes
        const product = products + n * rowBytes
        const before = dot(residual, residual, rowBytes)
        if (before === 0) continue
        addScaled(product, load<f32>(ridges + (<usize>first + n) * FLOAT), direction, rowBytes)
        for (let m: usize = load<u32>(at); m < load<u32>(at, 4); m++) {
          const factor = factors + <usize>load<u32>(columns + m * 4) * rowBytes
          addScaled(
            product,
            load<f32>(values + m * FLOAT) * dot(factor, direction, rowBytes),
            factor,
            rowBytes,
          )
        }
        const length = before / dot(direction, product, rowBytes)
        addScaled(solutions + n * rowBytes, length, direction, rowBytes)
        addScaled(residual, -length, product, rowBytes)
        const ratio = dot(residual, residual, rowBytes) / before
        // direction = residual + ratio × direction
        addScaled(direction, ratio - 1, direction, rowBytes)
        addScaled(direction, 1, residual, rowBytes)
      }
    }
  }
}
