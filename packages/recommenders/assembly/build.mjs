// Compiles kernels.ts to ../src/kernels/kernels.wasm. With --check it compares instead, and fails where they differ.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const target = new URL('../src/kernels/kernels.wasm', import.meta.url)
const files = new Map()
const { error, stderr } = await asc.main(
  [
    'kernels.ts',
    '--outFile=kernels.wasm',
    '-O3',
    '--noAssert',
    '--runtime=stub',
    '--importMemory',
    '--sharedMemory',
    '--initialMemory=1',
    '--maximumMemory=65536',
    '--enable=simd,threads,relaxed-simd',
  ],
  {
    readFile: (name, folder) => {
      try {
        return readFileSync(fileURLToPath(new URL(`${folder}/${name}`, import.meta.url)), 'utf8')
      } catch {
        return null
      }
    },
    writeFile: (name, contents) => files.set(name, contents),
    listFiles: () => [],
  },
)
if (error) {
  console.error(stderr.toString())
  throw error
}
const bytes = files.get('kernels.wasm')
if (!process.argv.includes('--check')) writeFileSync(target, bytes)
else if (Buffer.compare(readFileSync(target), bytes) !== 0) {
  console.error(
    'src/kernels/kernels.wasm is not what assembly/kernels.ts compiles to: run npm run build here',
  )
  process.exit(1)
}
console.log(`${bytes.length} bytes`)
