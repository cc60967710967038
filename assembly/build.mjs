// Compiles every module in MODULES to its .wasm. With --check it compares instead, and fails where they differ.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import asc from 'assemblyscript/asc'

const root = join(import.meta.dirname, '..')
const MODULES = [
  {
    source: 'packages/recommenders/assembly/kernels.ts',
    target: 'packages/recommenders/src/kernels/kernels.wasm',
    features: 'simd,threads,relaxed-simd',
  },
  {
    source: 'apps/arus/assembly/text-index.ts',
    target: 'apps/arus/src/catalogue/text-index.wasm',
    features: 'simd,threads,bulk-memory',
  },
  {
    source: 'apps/arus/assembly/csv-check.ts',
    target: 'apps/arus/src/catalogue/csv-check.wasm',
    features: 'simd,threads,bulk-memory',
  },
]

const isCheck = process.argv.includes('--check')
let differ = false
for (const { source, target, features } of MODULES) {
  const bytes = await compiled(join(root, source), features)
  const file = join(root, target)
  if (!isCheck) writeFileSync(file, bytes)
  else if (Buffer.compare(readFileSync(file), bytes) !== 0) {
    console.error(`${target} is not what ${source} compiles to: run npm run build in assembly/`)
    differ = true
  }
  console.log(`${target}: ${bytes.length} bytes`)
}
process.exit(differ ? 1 : 0)

async function compiled(source, features) {
  const folder = dirname(source)
  let bytes = null
  const { error, stderr } = await asc.main(
    [
      source.slice(folder.length + 1),
      '--outFile=out.wasm',
      '-O3',
      '--noAssert',
      '--use',
      'abort=',
      '--runtime=stub',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory=1',
      '--maximumMemory=65536',
      `--enable=${features}`,
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(join(folder, name), 'utf8')
        } catch {
          return null
        }
      },
      writeFile: (_name, contents) => {
        bytes = contents
      },
      listFiles: () => [],
    },
  )
  if (error === null) return bytes
  console.error(stderr.toString())
  throw error
}
