import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { devNull } from 'node:os'
import { join } from 'node:path'

export const repository: string = join(import.meta.dirname, '../../../..')

/** The engines of other suites, which the environment names, are not for an Arus that is to run embedded. */
export const WITHOUT_ENGINES: Readonly<Record<string, string>> = {
  ARUS_ENV_FILE: devNull,
  KAFKA_BOOTSTRAP_SERVERS: '',
  REDIS_URL: '',
  S3_ENDPOINT: '',
  S3_BUCKET: '',
  SPARK_REMOTE: '',
  TRINO_URL: '',
  MLFLOW_TRACKING_URI: '',
  DATABASE_URL: '',
}

/** Two free ports and a data folder: what one Arus of the run lives in. */
export interface Place {
  readonly dataDir: string
  readonly apiPort: number
  readonly dashboardPort: number
  /** Further settings. */
  readonly settings?: Readonly<Record<string, string>>
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function environmentOf(place: Place): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ARUS_DATA_DIR: place.dataDir,
    ARUS_API_PORT: String(place.apiPort),
    ARUS_DASHBOARD_PORT: String(place.dashboardPort),
    ...place.settings,
  }
}

/** Runs `npm run arus -- …` to its end. */
export async function arus(
  place: Place,
  ...args: readonly string[]
): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }> {
  const child = spawn('npm', ['run', '--silent', 'arus', '--', ...args], {
    cwd: repository,
    env: environmentOf(place),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, out, err }
}

/** An Arus started as a user does, with `npm start`. */
export class RunningArus {
  readonly place: Place
  readonly #child: ChildProcess
  #output = ''

  private constructor(place: Place, child: ChildProcess) {
    this.place = place
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
  }

  /** Resolves once it says that it is ready; rejects with its output when it ends or the deadline passes. */
  static async start(place: Place, args: readonly string[], deadlineMs: number): Promise<RunningArus> {
    const child = spawn('npm', ['start', '--silent', '--', ...args], {
      cwd: repository,
      env: environmentOf(place),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const running = new RunningArus(place, child)
    await running.saysReady(deadlineMs)
    return running
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.place.apiPort}`
  }

  get dashboardUrl(): string {
    return `http://127.0.0.1:${this.place.dashboardPort}`
  }

  get output(): string {
    return this.#output
  }

  /** As Ctrl-C on a terminal does: the interrupt goes to the whole process group. Resolves with the exit code. */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const ended = once(this.#child, 'close')
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT')
    const [status] = (await ended) as [number | null]
    return status
  }

  /** As when the machine goes away: nothing of it can put anything in order. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'close')
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    await ended
  }

  async saysReady(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    while (!this.#output.includes('Arus is ready')) {
      if (this.#child.exitCode !== null || performance.now() > end) {
        if (this.#child.exitCode === null) await this.interrupt()
        throw new Error(`Arus did not become ready:\n${this.#output.slice(-4_000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  #take(text: string): void {
    this.#output = (this.#output + text).slice(-200_000)
  }
}
