// Runs a command of this repository on the Node it pins, installing dependencies first when they are missing
// or out of date. It must itself run on Node 18, with nothing installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const windows = process.platform === 'win32'
const binaries = join(root, 'node_modules', '.bin')
const stamp = join(root, 'node_modules', '.arus-installed')

const commands = {
  arus: (args) => ['node', ['--disable-warning=ExperimentalWarning', 'apps/arus/src/main.ts', ...args]],
  vitest: (args) => ['vitest', args],
  biome: (args) => ['biome', args],
  check: (args) => ['node', ['bin/check.ts', ...args]],
  docs: (args) => ['node', ['bin/docs.ts', ...args]],
  pack: (args) => ['node', ['bin/pack.ts', ...args]],
  engines: (args) => ['node', ['engines/main.ts', ...args]],
  'test:engines': (args) => ['vitest', ['run', '--config', 'vitest.engines.config.ts', ...args]],
  example: (args) => [
    'vite',
    ['preview', 'examples', '--outDir', 'storefront', '--host', '127.0.0.1', '--port', '8502', ...args],
  ],
  bench: (args) => ['node', ['bench/main.ts', ...args]],
  'bench:quality': (args) => ['node', ['bench/quality.ts', ...args]],
  'bench:train': (args) => ['node', ['bench/train.ts', ...args]],
  'bench:serve': (args) => ['node', ['bench/server.ts', ...args]],
  conformance: (args) => ['node', ['packages/delta/test/conformance/main.ts', ...args]],
  faults: (args) => ['node', ['bin/faults.ts', ...args]],
  'arus-faults': (args) => ['node', ['apps/arus/test/faults/main.ts', ...args]],
  'delta-faults': (args) => ['node', ['packages/delta/test/faults/main.ts', ...args]],
  'end-to-end': (args) => ['node', ['apps/arus/test/end-to-end/main.ts', ...args]],
}

const [name, ...args] = process.argv.slice(2)
const plan = commands[name]
if (!plan) fail(`unknown command "${name}"; expected one of ${Object.keys(commands).join(', ')}`)
installIfNeeded()
const [command, commandArgs] = plan(args)
run(command, commandArgs)

/** The state that decides whether an install is needed: the lockfile and the platform. */
function fingerprint() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex')
}

function installIfNeeded() {
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('Arus: installing dependencies (first start, or the lockfile changed) …')
  const result = spawnSync(
    windows ? 'npm.cmd' : 'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: windows,
    },
  )
  if (result.error || result.status !== 0) {
    fail(
      'npm ci failed; its output is above. Check that the npm registry can be reached, then run the same command again.',
    )
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

/** Runs in the caller's folder for `arus` (so that file arguments mean what they say), else in the repository. */
function run(command, commandArgs) {
  const isArus = name === 'arus'
  const cwd = isArus ? (process.env.INIT_CWD ?? process.cwd()) : root
  const resolved = isArus
    ? commandArgs.map((argument, i) => (i === 1 ? join(root, argument) : argument))
    : commandArgs
  const child = spawn(pinned(command), resolved, {
    cwd,
    stdio: 'inherit',
    shell: windows,
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` },
  })
  // The terminal sends Ctrl-C to the whole group: the child decides when to stop, and we follow it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
  child.on('error', (error) => fail(`cannot start ${command}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)))
}

function pinned(command) {
  const path = join(binaries, windows ? `${command}.cmd` : command)
  if (existsSync(path)) return path
  if (command === 'node' && Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  return fail(
    command === 'node'
      ? `no pinned Node exists for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}; install Node 24 or newer and run again`
      : `${command} is not installed; remove node_modules and run again`,
  )
}

function fail(message) {
  console.error(`Arus: ${message}`)
  process.exit(1)
}
