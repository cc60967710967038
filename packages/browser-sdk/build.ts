/** `npm run build -w packages/browser-sdk`: bundles and minifies `dist/arus.mjs` (ES module) and `dist/arus.js` (classic script). */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'vite'

const folder = import.meta.dirname
const dist = join(folder, 'dist')

await mkdir(dist, { recursive: true })
for (const [entry, format, file] of [
  ['index.ts', 'es', 'arus.mjs'],
  ['script.ts', 'iife', 'arus.js'],
] as const) {
  const text = await bundle(join(folder, 'src', entry), format)
  // Renamed, so that who reads meanwhile gets the whole of the old or of the new.
  const unfinished = join(dist, `${file}.${process.pid}`)
  await writeFile(unfinished, text)
  await rename(unfinished, join(dist, file))
}

async function bundle(entry: string, format: 'es' | 'iife'): Promise<string> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      lib: { entry, formats: [format], name: 'arusScript', fileName: 'arus' },
      rolldownOptions: { output: { minify: true, comments: false } },
    },
  })
  const [chunk] = [result].flat().flatMap((bundled) => ('output' in bundled ? bundled.output : []))
  if (chunk?.type !== 'chunk') throw new TypeError(`${entry} made no script`)
  return chunk.code
}
