import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'

const dashboard = join(import.meta.dirname, '../../../dashboard')
const dist = join(dashboard, 'dist')
const stamp = join(dist, '.built-from')

/** Builds the pages when their sources changed since the last build, in a process of its own; gives their folder. */
export async function buildDashboardIfNeeded({
  onProgress,
}: {
  readonly onProgress: OnProgress
}): Promise<string> {
  const sources = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return dist
  onProgress({ step: 'Building the dashboard', done: 0, total: 1, unit: 'build' })
  await runVite()
  writeFileSync(stamp, sources)
  onProgress({ step: 'Building the dashboard', done: 1, total: 1, unit: 'build' })
  return dist
}

async function runVite(): Promise<void> {
  const vite = join(import.meta.dirname, '../../../../node_modules/vite/bin/vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: dashboard,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0)
    throw new ArusError('INTERNAL', `The dashboard could not be built:\n${output.slice(-2_000)}`)
}

/** Changes when a source, the page or the configuration of the build does. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const files = ['public', 'src']
    .flatMap((folder) => readdirSync(join(dashboard, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of [
    ...files,
    join(dashboard, 'index.html'),
    join(dashboard, 'vite.config.ts'),
    join(dashboard, 'package.json'),
  ]) {
    hash.update(file.slice(dashboard.length)).update(readFileSync(file))
  }
  return hash.digest('hex')
}
