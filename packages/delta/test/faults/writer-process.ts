import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { AppendRecord } from './append-loop.ts'

/** How `writer.ts` is started. */
export interface WriterOptions {
  readonly root: string
  readonly name: string
  readonly count: number
  readonly kind?: 'log' | 'parquet'
  readonly lanes?: number
  /** A command that runs the one given to it, as `strace -f …`. */
  readonly under?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** A running `writer.ts`, and what it has said so far. */
export class WriterProcess {
  readonly name: string
  readonly records: AppendRecord[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #rest = ''

  constructor({ root, name, count, kind = 'log', lanes = 1, under = [], environment = {} }: WriterOptions) {
    this.name = name
    const [command = '', ...args] = [
      ...under,
      process.execPath,
      join(import.meta.dirname, 'writer.ts'),
      ...[root, name, String(count), kind, String(lanes)],
    ]
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...environment },
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk))
    this.#ended = once(this.#child, 'close')
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Kills it without notice; resolves when it is gone and all it said is read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Resolves with its exit code when it has ended by itself. */
  async ended(): Promise<number | null> {
    await this.#ended
    return this.#child.exitCode
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [id = '', outcome = ''] = line.split(' ')
      this.records.push({
        id,
        outcome: outcome === 'unknown' || outcome === 'failed' ? outcome : Number(outcome),
      })
    }
  }
}
