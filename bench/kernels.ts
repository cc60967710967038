import { openKernels } from '../packages/recommenders/src/kernels/open-kernels.ts'
import { plainKernels } from '../packages/recommenders/src/kernels/plain.ts'
import { seededNormal } from '../packages/recommenders/src/seeded-random.ts'
import { measurePythonPeer, printComparisons } from './measure.ts'

const ROWS = 20_000
const WIDTH = 128
const ENTRIES_PER_ROW = 25
const ROUNDS = 5

type Times = Readonly<Record<string, number>>

/** Every kernel in WebAssembly and in TypeScript against numpy and scipy (one thread each), in the same run. */
export async function benchKernels(): Promise<void> {
  const peer = await measurePythonPeer('kernels_numpy.py', [], ['numpy', 'scipy'])
  const theirs: Times | null = peer && JSON.parse(peer.output)
  const ours = timesOf(openKernels(), ROUNDS)
  const plain = timesOf(plainKernels(), 1)
  printComparisons(
    'Kernels against numpy, one thread',
    Object.entries(ours).map(([what, seconds]) => ({
      what,
      ours: 1_000 * seconds,
      theirs: theirs && 1_000 * theirs[what]!,
      unit: 'ms',
      budget: '≤ 3',
    })),
  )
  console.log('  In TypeScript, as many times as slow as in WebAssembly:')
  for (const [what, seconds] of Object.entries(plain))
    console.log(`  ${what.padEnd(44)} ${(seconds / ours[what]!).toFixed(1)}`)
}

function timesOf(kernels: ReturnType<typeof openKernels>, rounds: number): Times {
  const normal = seededNormal(1)
  const tall = kernels.dense(ROWS, WIDTH)
  for (let n = 0; n < tall.values.length; n++) tall.values[n] = normal()
  const small = kernels.dense(WIDTH, WIDTH)
  for (let n = 0; n < small.values.length; n++) small.values[n] = normal()
  const out = kernels.dense(ROWS, WIDTH)
  const places = kernels.indexes(ROWS)
  for (let n = 0; n < ROWS; n++) places[n] = (n * 7_919) % ROWS
  const dots = kernels.floats(ROWS)
  const count = ROWS * ENTRIES_PER_ROW
  const sparse = kernels.sparse({
    rowCount: ROWS,
    columnCount: ROWS,
    starts: Uint32Array.from({ length: ROWS + 1 }, (_, row) => row * ENTRIES_PER_ROW),
    columns: Uint32Array.from({ length: count }, (_, n) => (n * 7_919) % ROWS),
    values: new Float32Array(count).fill(1),
  })
  const factors = (size: number, times: number) => {
    const matrix = kernels.dense(size, size)
    return () => {
      for (let n = 0; n < times; n++) {
        matrix.values.fill(1)
        for (let i = 0; i < size; i++) matrix.values[i * (size + 1)] = size + 1
        kernels.cholesky(matrix)
      }
    }
  }
  const large = kernels.dense(1_024, 1_024)
  return {
    gram: best(rounds, () => kernels.gram(tall, small)),
    multiply: best(rounds, () => kernels.multiply(tall, small, out)),
    sparseTimesDense: best(rounds, () => kernels.sparseTimesDense(sparse, tall, out)),
    dotsOf: best(rounds, () => kernels.dotsOf(small.values, tall, places, ROWS, dots)),
    cholesky64: best(rounds, factors(64, 100)),
    cholesky128: best(rounds, factors(128, 100)),
    inverse1024: best(rounds, () => {
      large.values.fill(1)
      for (let i = 0; i < 1_024; i++) large.values[i * 1_025] = 1_025
      kernels.inverse(large)
    }),
  }
}

/** Seconds of the fastest round. */
function best(rounds: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    run()
    least = Math.min(least, performance.now() - startedAt)
  }
  return least / 1_000
}
