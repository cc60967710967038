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
})
