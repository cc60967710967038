// What `.ci/run` runs: installs what the checks need, runs them, then a real Arus end to end on the sample catalogue.
// Runs on Node 18 or newer with nothing installed. The last line is "N passed, N failed"; exits non-zero on any failure
// and on any browser journey, deltalake, real-engine or sample-data test that was skipped.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname ?? join(new URL('.', import.meta.url).pathname), '..')
const cache = join(root, '.cache')
const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
let python = 'python3'
const counts = { passed: 0, failed: 0, skipped: 0 }
/** What failed, told once more at the end: the last lines of a log of 30 minutes are what everybody reads. */
const failures = []

rmSync(join(cache, 'ci'), { recursive: true, force: true })
mkdirSync(join(cache, 'ci'), { recursive: true })
step('Chromium is there', ensureChromium)
step('the real engines are there', ensureEngines)
step('the compiler of the kernels is there', () => run(['npm', '--prefix', 'assembly', 'ci']))
step('npm run check', () => runCounted('check', ['npm', 'run', 'check'], join(cache, 'ci', 'tests.json')))
step('real engines', () =>
  runCounted('real engines', ['npm', 'run', 'test:engines'], join(cache, 'ci', 'engines.json')),
)
step('end to end', () =>
  runCounted('end to end', ['node', 'bin/run.mjs', 'end-to-end'], join(cache, 'ci', 'end-to-end.json')),
)

for (const failure of failures) console.log(failure)
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(counts.failed > 0 ? 1 : 0)

function step(name, run) {
  console.log(`\n=== ${name}`)
  try {
    run()
  } catch (error) {
    counts.failed += 1
    failures.push(`FAILED ${name}: ${error.message}`)
    console.error(failures.at(-1))
  }
}

function ensureChromium() {
  if (existsSync(chromium)) return
  run(['apt-get', 'update', '-qq'])
  run(['apt-get', 'install', '-y', '-qq', 'chromium'])
}

/** The engines are kept for later runs; the deltalake among them is also the independent reader of other tests. */
function ensureEngines() {
  run(['node', 'bin/run.mjs', 'engines', 'install'])
  const where = spawnSync('node', ['bin/run.mjs', 'engines', 'where', 'deltalake'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (where.status !== 0) throw new Error(`deltalake is not installed: ${where.stderr}`)
  python = join(where.stdout.trim(), 'python', 'bin', 'python3')
}

/** Runs a command and adds the counts of its JSON report; a command that failed without a failed test counts as one. */
function runCounted(name, command, report) {
  const before = counts.failed
  const status = spawn(command, { ARUS_TEST_REPORT: report })
  if (existsSync(report)) addCounts(JSON.parse(readFileSync(report, 'utf8')))
  if (status !== 0 && counts.failed === before) throw new Error(`${name} exited with ${status}`)
}

function addCounts(report) {
  counts.passed += report.numPassedTests
  counts.failed += report.numFailedTests
  counts.skipped += report.numPendingTests
  // The end-to-end run names no tests: whatever it skipped was meant to run here.
  if (report.testResults === undefined) counts.failed += report.numPendingTests
  const tests = (report.testResults ?? []).flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: file.name.slice(root.length + 1) })),
  )
  for (const test of tests) {
    if (test.status === 'skipped' || test.status === 'pending')
      console.log(`skipped: ${test.fullName} (${test.file})`)
    if (test.status === 'failed')
      failures.push(
        `FAILED ${test.fullName} (${test.file})\n${(test.failureMessages[0] ?? '').slice(0, 1_500)}`,
      )
  }
}

function run(command) {
  const status = spawn(command)
  if (status !== 0) throw new Error(`"${command.join(' ')}" exited with ${status}`)
}

function spawn([command, ...args], environment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      CI: 'true',
      CHROMIUM_PATH: chromium,
      ARUS_PYTHON: python,
      ...environment,
    },
  })
  if (result.error) throw result.error
  return result.status
}
