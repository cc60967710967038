import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConformanceCase } from './conformance-case.ts'
import type { TableAnswer, TableRequest } from './table-process.ts'

/** How reading the tables of an archive ended. */
export type ReadOutcome =
  | TableAnswer
  | { readonly kind: 'no-archive' }
  /** The process died, or took too long and was killed. */
  | { readonly kind: 'died'; readonly reason: string }

const PROCESS = join(import.meta.dirname, 'table-process.ts')
const STDERR_LENGTH_MAX = 300

/** Reads archives one at a time in a process of its own, which is replaced when it dies or hangs. */
export class TableReader implements Disposable {
  readonly #timeLimitMs: number
  readonly #process: string
  #child: ChildProcess | null = null
  #stderr = ''

  /** `process` is the program to run, for tests of the reader itself. */
  constructor(options: { readonly timeLimitMs: number; readonly process?: string }) {
    this.#timeLimitMs = options.timeLimitMs
    this.#process = options.process ?? PROCESS
  }

  async read(one: ConformanceCase): Promise<ReadOutcome> {
    if (!existsSync(one.archive)) return { kind: 'no-archive' }
    const folder = mkdtempSync(join(tmpdir(), 'arus-conformance-'))
    try {
      return await this.#ask({ one, folder })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  [Symbol.dispose](): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
  }

  async #ask(request: TableRequest): Promise<ReadOutcome> {
    const child = this.#running()
    const { promise, resolve } = Promise.withResolvers<ReadOutcome>()
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve({ kind: 'died', reason: `not done after ${this.#timeLimitMs / 1000} s` })
    }, this.#timeLimitMs)
    const onExit = (code: number | null, signal: string | null) =>
      resolve({
        kind: 'died',
        reason: `the process ended with ${signal ?? code}: ${this.#stderr.slice(-STDERR_LENGTH_MAX).trim()}`,
      })
    child.once('exit', onExit)
    child.once('message', resolve)
    child.send(request)
    const outcome = await promise
    clearTimeout(timer)
    child.off('exit', onExit)
    child.off('message', resolve)
    if (outcome.kind === 'died') this.#child = null
    return outcome
  }

  #running(): ChildProcess {
    this.#child ??= this.#start()
    return this.#child
  }

  #start(): ChildProcess {
    const child = fork(this.#process, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
    this.#stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-10 * STDERR_LENGTH_MAX)
    })
    return child
  }
}
