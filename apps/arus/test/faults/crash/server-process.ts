import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Place, repository } from '../../end-to-end/running-arus.ts'

/** What is killed: the server with all it has started, the server alone, or the process that keeps its lake. */
export type Victim = 'group' | 'server' | 'lake'

const READY_DEADLINE_MS = 120_000

/** `arus start` without npm between, so that its process is known by number and can be killed alone. */
export class ServerProcess {
  readonly apiUrl: string
  readonly #child: ChildProcess
  #output = ''
  /** From the start of the process to its saying that it is ready. */
  readyMs = Number.NaN

  private constructor(place: Place, child: ChildProcess) {
    this.apiUrl = `http://127.0.0.1:${place.apiPort}`
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000)
      })
  }

  /** Resolves once it says that it is ready; throws with its output when it ends before. */
  static async start(place: Place, args: readonly string[]): Promise<ServerProcess> {
    const startedAt = performance.now()
    const main = join(repository, 'apps/arus/src/main.ts')
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, 'start', '--no-dashboard', ...args],
      {
        cwd: repository,
        env: {
          ...process.env,
          ARUS_DATA_DIR: place.dataDir,
          ARUS_API_PORT: String(place.apiPort),
          ...place.settings,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    )
    const server = new ServerProcess(place, child)
    while (!server.#output.includes('Arus is ready')) {
      if (server.hasEnded || performance.now() - startedAt > READY_DEADLINE_MS) {
        await server.kill('group')
        throw new Error(`Arus did not become ready:\n${server.#output}`)
      }
      await sleep(5)
    }
    server.readyMs = performance.now() - startedAt
    return server
  }

  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Sends SIGKILL; resolves when the victim is gone. A lake that cannot be found is taken for the whole group. */
  async kill(victim: Victim): Promise<void> {
    const { pid } = this.#child
    if (pid === undefined || this.hasEnded) return
    const lake = victim === 'lake' ? lakeProcessOf(pid) : null
    if (lake !== null) {
      process.kill(lake, 'SIGKILL')
      return
    }
    const ended = once(this.#child, 'exit')
    process.kill(victim === 'server' ? pid : -pid, 'SIGKILL')
    await ended
  }

  /** True once every process that the server had started is gone too, or after the time given: false. */
  async isAllGone(withinMs: number): Promise<boolean> {
    const end = performance.now() + withinMs
    while (isGroupAlive(this.#child.pid)) {
      if (performance.now() > end) return false
      await sleep(100)
    }
    return true
  }
}

function isGroupAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}

/** The child of the server that keeps the lake, as Linux shows it; null where it does not. */
function lakeProcessOf(server: number): number | null {
  try {
    for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      if (Number(fields[1]) !== server) continue
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('lake-process')) return Number(name)
    }
  } catch {
    // No such folder on this system, or a process that ended while it was looked at.
  }
  return null
}
