/** `npm run check`: everything a commit must pass, the same here and in CI. Stops at the first step that fails. */
import { spawnSync } from 'node:child_process'

const report = process.env.ARUS_TEST_REPORT
const reporters = report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []

const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['format and lint', 'biome', ['check', '--error-on-warnings', '.']],
  ['types', 'tsc', ['-p', '.']],
  ['types of the dashboard', 'tsc', ['-p', 'apps/dashboard']],
  ['types of the browser SDK', 'tsc', ['-p', 'packages/browser-sdk']],
  ['dead code and dependencies', 'knip', []],
  ['tests (boundaries among them)', 'vitest', ['run', ...reporters]],
]

for (const [name, command, args] of steps) {
  console.log(`\n── ${name}`)
  const result = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (result.status !== 0) {
    console.error(`check failed at: ${name}`)
    process.exit(result.status ?? 1)
  }
}
