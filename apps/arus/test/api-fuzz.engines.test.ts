import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arus, freePort, type Place, RunningArus, WITHOUT_ENGINES } from './end-to-end/running-arus.ts'

/** Requests of each kind to each operation; a long run sets more. */
const EXAMPLES = process.env.ARUS_FUZZ_EXAMPLES ?? '10'
const SEED = process.env.ARUS_FUZZ_SEED ?? '1'

let folder: string
let running: RunningArus
let key: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-fuzz-'))
  const place: Place = {
    dataDir: join(folder, 'data'),
    apiPort: await freePort(),
    dashboardPort: await freePort(),
    settings: { ...WITHOUT_ENGINES, ARUS_REQUIRE_KEYS: 'true', ARUS_LOG_LEVEL: 'error' },
  }
  key = (await arus(place, 'keys', 'create', '--kind', 'admin', '--name', 'fuzz')).out.trim()
  running = await RunningArus.start(place, ['--size', '500', '--shoppers', '0', '--no-dashboard'], 120_000)
})
afterAll(async () => {
  await running?.interrupt()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('schemathesis finds no failure of the server and no answer outside its schema', async () => {
  const report = await run(process.env.ARUS_SCHEMATHESIS ?? 'schemathesis', [
    ...['--config-file', join(import.meta.dirname, 'schemathesis.toml')],
    ...['run', `${running.apiUrl}/openapi.json`],
    ...['--header', `Authorization: Bearer ${key}`],
    ...['--max-examples', EXAMPLES, '--seed', SEED, '--request-timeout', '20', '--continue-on-failure'],
    // Python 3.11 counts the depth of all threads' syntax trees in one place (cpython issue 106905): with more workers a
    // run may end in "AST constructor recursion depth mismatch".
    ...['--workers', '1'],
  ])
  expect(report.status, shortLines(report.output).slice(-12_000)).toBe(0)
  expect(Number(/(\d+) generated/.exec(report.output)?.[1])).toBeGreaterThan(1_000)
  expect(running.output).not.toMatch(/"level":[56]0/)
  expect((await fetch(`${running.apiUrl}/health`)).status).toBe(200)
}, 600_000)

/** Requests of schemathesis may be one line of 100 kB. */
function shortLines(output: string): string {
  return output.replaceAll(/^(.{300}).*$/gm, '$1…')
}

async function run(
  command: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output }
}
