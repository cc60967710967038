import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { deltalake } from '../engines/deltalake.ts'
import { installEngine } from '../engines/launcher/installation.ts'
import { pythonOf } from '../engines/launcher/python.ts'

/** What both sides of `bench/delta.ts` can be asked to do; folders and files are absolute. */
export type DeltaRequest =
  /** Reads the first rows of a Parquet file, which are then appended, into memory. */
  | { readonly operation: 'load'; readonly file: string; readonly rowCount: number }
  /** Makes an empty table of these rows, partitioned by date. */
  | { readonly operation: 'create'; readonly folder: string }
  | {
      readonly operation: 'append'
      readonly folder: string
      readonly compression: 'zstd' | 'snappy'
      /** The rows from one up to before another; all unless given. */
      readonly slice?: readonly [first: number, end: number]
    }
  /** Opens the table anew and parses all statistics; gives the sum of their row counts. */
  | { readonly operation: 'open'; readonly folder: string }
  | { readonly operation: 'checkpoint'; readonly folder: string }
  /** Count, and sum of `quantity`, of the rows that satisfy all conditions, from a table that is open. */
  | {
      /** `scan-datafusion`: theirs only, by the other engine that reads its tables. */
      readonly operation: 'scan' | 'scan-datafusion'
      readonly folder: string
      readonly where: readonly (readonly [column: string, op: '=' | '>=' | '<=', value: string | number])[]
    }

/** What a request cost, and its result. */
export interface DeltaCost {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakMemoryBytes: number
  readonly result: unknown
}

/** A side: a process that answers requests one after the other, and the command for one request in a process of its own. */
export class DeltaSide implements AsyncDisposable {
  readonly command: readonly [string, ...string[]]
  readonly #process: ChildProcess
  readonly #answers: AsyncIterator<string>

  private constructor(command: readonly [string, ...string[]]) {
    this.command = command
    const [program, ...args] = command
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]()
  }

  static ours(): DeltaSide {
    return new DeltaSide([process.execPath, join(import.meta.dirname, 'delta-worker.ts')])
  }

  /** PyPI's deltalake; installed first if it is not. */
  static async theirs(): Promise<DeltaSide> {
    const folder = await installEngine(deltalake, { log: console.log, signal: new AbortController().signal })
    return new DeltaSide([pythonOf(folder), join(import.meta.dirname, 'peers', 'delta_deltalake.py')])
  }

  /** Memory is the highest resident size while the request ran (Linux: `clear_refs` sets `VmHWM` back). */
  async ask(request: DeltaRequest): Promise<DeltaCost> {
    const folder = `/proc/${this.#process.pid}`
    writeFileSync(`${folder}/clear_refs`, '5')
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`${this.command.join(' ')} ended at ${JSON.stringify(request)}`)
    const peakMemoryBytes =
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1]) * 1024
    return { ...JSON.parse(value), peakMemoryBytes } as DeltaCost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin!.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}
