import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArusError } from '../../errors.ts'

const sdk = join(import.meta.dirname, '../../../../../packages/browser-sdk')
const dist = join(sdk, 'dist')
const stamp = join(dist, '.built-from')

/** Builds the browser SDK when its sources changed since the last build, in a process of its own; gives the folder. */
export async function buildSdkIfNeeded(): Promise<string> {
  const sources = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return dist
  await runBuild()
  writeFileSync(stamp, sources)
  return dist
}

async function runBuild(): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(sdk, 'build.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) {
    throw new ArusError('INTERNAL', `The browser SDK could not be built:\n${output.slice(-2_000)}`)
  }
}

/** Changes when a source or the build does. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const sources = readdirSync(join(sdk, 'src'))
    .filter((name) => !name.endsWith('.test.ts'))
    .map((name) => join('src', name))
    .sort()
  for (const file of [...sources, 'build.ts', 'package.json']) {
    hash.update(file).update(readFileSync(join(sdk, file)))
  }
  return hash.digest('hex')
}
