import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const GUARD = join(import.meta.dirname, 'guard.sh')
const LOG_TAIL_LINES = 25

export interface GuardedOptions {
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
  /** Output and errors are appended to it. */
  readonly logFile: string
  /** The folder is of this run only: it goes when this process is killed, since nobody else can remove it then. */
  readonly isFolderTemporary?: boolean
}

/**
 * A command in a process group of its own that ends with this process, however this process ends: the group is killed
 * when the guard's standard input closes.
 */
export class GuardedProcess {
  readonly logFile: string
  readonly #child: ChildProcess
  /** Exit status of the command; never rejects. 127 when it could not be started. */
  readonly exited: Promise<number>

  constructor(command: readonly string[], options: GuardedOptions) {
    this.logFile = options.logFile
    const output = openSync(options.logFile, 'a')
    this.#child = spawn('/bin/sh', [GUARD, options.isFolderTemporary ? options.folder : '', ...command], {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      detached: true,
      stdio: ['pipe', output, output],
    })
    closeSync(output)
    this.exited = once(this.#child, 'exit').then(
      ([code]) => (typeof code === 'number' ? code : 128),
      () => 127,
    )
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Asks the command to end, waits for it at most `graceMs`, then kills what is left of its group. */
  async stop(graceMs: number): Promise<void> {
    if (!this.hasExited) this.#child.kill('SIGTERM')
    await Promise.race([this.exited, sleep(graceMs, undefined, { ref: false })])
    this.#killGroup()
    await this.exited
  }

  /** Kills the whole group at once, as `kill -9` would: nothing is asked to end. */
  async kill(): Promise<void> {
    this.#killGroup()
    await this.exited
  }

  /** The last lines of the log, for messages. */
  logTail(): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
