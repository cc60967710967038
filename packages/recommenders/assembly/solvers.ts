import { addProduct, multiply } from './products'
import { addScaled, dot, FLOAT, sumOf, VECTOR } from './vectors'

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
    // Down: the columns of the pivots, negated, taken out of the matrix.
    for (let row: usize = 0; row < size; row++) {
      const source = matrix + row * rowBytes + first * FLOAT
      const target = down + row * BLOCK * FLOAT
      for (let k: usize = 0; k < count; k++) store<f32>(target + k * FLOAT, -load<f32>(source + k * FLOAT))
      memory.fill(source, 0, count * FLOAT)
    }
    for (let from: usize = 0; from < rowBytes; from += PANEL_COLUMNS * FLOAT) {
      const to = min(rowBytes, from + PANEL_COLUMNS * FLOAT)
      addProduct(down, <usize>BLOCK * FLOAT, size, across, rowBytes, count, matrix, rowBytes, from, to)
    }
    memory.copy(matrix + <usize>first * rowBytes, across, <usize>count * rowBytes)
  }
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
