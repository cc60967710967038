import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DenseMatrix, type Kernels, widthOf } from '../src/kernels/kernels.ts'
import { openKernels } from '../src/kernels/open-kernels.ts'
import { plainKernels } from '../src/kernels/plain.ts'
import { wasmKernels } from '../src/kernels/wasm.ts'
import { seededRandom } from '../src/seeded-random.ts'
import type { SparseMatrix } from '../src/sparse-matrix.ts'

test('this runtime has the kernels in WebAssembly', () => {
  expect(openKernels().name).toBe('wasm')
})

test('arrays from elsewhere are refused, not read from a wrong place', () => {
  const kernels = wasmKernels()!
  const out = kernels.dense(16, 16)
  expect(() => kernels.gram({ rowCount: 1, width: 16, values: new Float32Array(16) }, out)).toThrow(TypeError)
})

/** Numbers from -4 to 4; thousands of fast-check's own would take minutes. */
const numbers = (length: number) =>
  fc.integer().map((seed) => {
    const random = seededRandom(seed)
    return Float32Array.from({ length }, () => 8 * random() - 4)
  })
const dense = (rowCount: number, width: number) =>
  numbers(rowCount * width).map((values): DenseMatrix => ({ rowCount, width, values }))
const width = fc.integer({ min: 1, max: 40 }).map(widthOf)
const rowCount = fc.integer({ min: 0, max: 300 })

function sparse(rows: number, columns: number): fc.Arbitrary<SparseMatrix> {
  const row = fc.uniqueArray(fc.nat(columns - 1), { maxLength: 6 }).map((all) => all.sort((a, b) => a - b))
  return fc
    .tuple(fc.array(row, { minLength: rows, maxLength: rows }), numbers(rows * 6))
    .map(([all, some]) => {
      const starts = new Uint32Array(rows + 1)
      for (const [n, one] of all.entries()) starts[n + 1] = starts[n]! + one.length
      const values = some.slice(0, starts[rows])
      return { rowCount: rows, columnCount: columns, starts, columns: Uint32Array.from(all.flat()), values }
    })
}

/** What both kernels make of the same, each from arrays in its own memory. */
function expectSame(run: (kernels: Kernels) => Float32Array): void {
  const [wasm, plain] = [run(wasmKernels()!), run(plainKernels())]
  expect(wasm.length).toBe(plain.length)
  for (let n = 0; n < wasm.length; n++) expect(Math.abs(wasm[n]! - plain[n]!)).toBeLessThan(5e-3)
}

function copied(kernels: Kernels, { rowCount: rows, width: columns, values }: DenseMatrix): DenseMatrix {
  const copy = kernels.dense(rows, columns)
  copy.values.set(values)
  return copy
}

describe('WebAssembly and TypeScript agree', () => {
  test('on sparse × dense', () => {
    const inputs = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 40 }), width)
      .chain(([rows, columns, wide]) => fc.tuple(sparse(rows, columns), dense(columns, wide)))
    fc.assert(
      fc.property(inputs, ([matrix, factors]) =>
        expectSame((kernels) => {
          const out = kernels.dense(matrix.rowCount, factors.width)
          kernels.sparseTimesDense(kernels.sparse(matrix), copied(kernels, factors), out)
          return out.values
        }),
      ),
      { numRuns: 40 },
    )
  })

  test('on the Gram matrix, which is symmetric', () => {
    const inputs = fc.tuple(rowCount, width).chain(([rows, wide]) => dense(rows, wide))
    fc.assert(
      fc.property(inputs, (matrix) =>
        expectSame((kernels) => {
          const out = kernels.dense(matrix.width, matrix.width)
          kernels.gram(copied(kernels, matrix), out)
          for (let i = 0; i < matrix.width; i++)
            for (let j = 0; j < i; j++)
              expect(out.values[i * matrix.width + j]).toBe(out.values[j * matrix.width + i])
          return out.values
        }),
      ),
      { numRuns: 30 },
    )
  })

  test('on dense × dense', () => {
    const inputs = fc
      .tuple(fc.integer({ min: 0, max: 21 }), width, width)
      .chain(([rows, inner, outer]) => fc.tuple(dense(rows, inner), dense(inner, outer)))
    fc.assert(
      fc.property(inputs, ([matrix, other]) =>
        expectSame((kernels) => {
          const out = kernels.dense(matrix.rowCount, other.width)
          kernels.multiply(copied(kernels, matrix), copied(kernels, other), out)
          return out.values
        }),
      ),
      { numRuns: 30 },
    )
  })

  test('on the dot products of chosen rows', () => {
    const inputs = fc
      .tuple(fc.integer({ min: 1, max: 30 }), width)
      .chain(([rows, wide]) =>
        fc.tuple(dense(rows, wide), dense(1, wide), fc.array(fc.nat(rows - 1), { maxLength: 50 })),
      )
    fc.assert(
      fc.property(inputs, ([matrix, vector, rows]) =>
        expectSame((kernels) => {
          const wanted = kernels.indexes(rows.length)
          wanted.set(rows)
          const out = kernels.floats(rows.length)
          const row = copied(kernels, vector).values
          kernels.dotsOf(row, copied(kernels, matrix), wanted, rows.length, out)
          return out
        }),
      ),
      { numRuns: 40 },
    )
  })

  test('on Cholesky factors, solutions and inverses of positive definite matrices', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }).chain(positiveDefinite), (matrix) => {
        expectSame((kernels) => {
          const factor = copied(kernels, matrix)
          expect(kernels.cholesky(factor)).toBe(matrix.rowCount)
          const vector = kernels.floats(matrix.width)
          vector.set(matrix.values.subarray(0, matrix.rowCount))
          kernels.solve(factor, vector)
          // The vector is the matrix's first row: the solution is the first unit vector.
          for (let n = 0; n < matrix.rowCount; n++) expect(vector[n]).toBeCloseTo(n === 0 ? 1 : 0, 3)
          return Float32Array.from([...lower(factor), ...vector])
        })
        expectSame((kernels) => {
          const inverse = copied(kernels, matrix)
          kernels.inverse(inverse)
          expect(Math.abs(productsOff(matrix, inverse))).toBeLessThan(1e-3)
          return inverse.values
        })
      }),
      { numRuns: 10 },
    )
  })

  test('on the row at which a matrix turns out not to be positive definite', () => {
    for (const kernels of [wasmKernels()!, plainKernels()]) {
      const matrix = kernels.dense(3, 16)
      for (const [n, value] of [4, 1, -1].entries()) matrix.values[n * 17] = value
      expect(kernels.cholesky(matrix)).toBe(2)
    }
  })

  test('on least squares, which a factor solves too', () => {
    for (const kernels of [wasmKernels()!, plainKernels()]) {
      const matrix = kernels.sparse({
        rowCount: 1,
        columnCount: 2,
        starts: Uint32Array.of(0, 2),
        columns: Uint32Array.of(0, 1),
        values: Float32Array.of(2, 3),
      })
      const factors = kernels.dense(2, 16)
      factors.values.set([1, 1], 0)
      factors.values.set([1, -1], 16)
      const out = kernels.dense(1, 16)
      const problem = { factors, gram: kernels.dense(16, 16), ridges: kernels.floats(1).fill(1), steps: 2 }
      kernels.leastSquares(matrix, problem, out)
      // (2 (1 1; 1 1) + 3 (1 -1; -1 1) + 1) x = 2 (1 1) + 3 (1 -1): (6 -1; -1 6) x = (5 -1).
      expect(out.values[0]).toBeCloseTo(29 / 35, 5)
      expect(out.values[1]).toBeCloseTo(-1 / 35, 5)
    }
  })

  test('on least squares by conjugate gradients', () => {
    const inputs = fc
      .tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 1, max: 20 }))
      .chain(([rows, columns]) => fc.tuple(sparse(rows, columns), dense(columns, 16)))
    fc.assert(
      fc.property(inputs, ([matrix, factors]) =>
        expectSame((kernels) => {
          const weighted = kernels.sparse({
            ...matrix,
            values: matrix.values.map((value) => Math.abs(value)),
          })
          const problem = {
            factors: copied(kernels, factors),
            gram: kernels.dense(16, 16),
            ridges: kernels.floats(matrix.rowCount).fill(100),
            steps: 4,
          }
          kernels.gram(problem.factors, problem.gram)
          const out = kernels.dense(matrix.rowCount, 16)
          out.values.fill(0.1)
          kernels.leastSquares(weighted, problem, out)
          return out.values
        }),
      ),
      { numRuns: 10 },
    )
  })
})

/** RᵀR + 20 for a random R, one row a column. */
const positiveDefinite = (size: number) =>
  dense(20, widthOf(size)).map((random): DenseMatrix => {
    for (let row = 0; row < 20; row++)
      random.values.fill(0, row * random.width + size, (row + 1) * random.width)
    const kernels = plainKernels()
    const out = kernels.dense(random.width, random.width)
    kernels.gram(random, out)
    for (let n = 0; n < size; n++) out.values[n * (random.width + 1)]! += 20
    return { rowCount: size, width: random.width, values: out.values.slice(0, size * random.width) }
  })

function lower({ rowCount: size, width: wide, values }: DenseMatrix): number[] {
  return Array.from(values).filter((_, n) => n % wide <= Math.floor(n / wide) && n < size * wide)
}

/** How far the product of two matrices is from the unit matrix, at most. */
function productsOff(left: DenseMatrix, right: DenseMatrix): number {
  let most = 0
  for (let i = 0; i < left.rowCount; i++)
    for (let j = 0; j < left.rowCount; j++) {
      let sum = i === j ? -1 : 0
      for (let k = 0; k < left.rowCount; k++)
        sum += left.values[i * left.width + k]! * right.values[k * right.width + j]!
      most = Math.max(most, Math.abs(sum))
    }
  return most
}
