import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ArusError } from '../../errors.ts'
import { decodeFrames, type Frame } from './frames.ts'
import type { SandboxMessage, SandboxRequest } from './protocol.ts'

/** Bounds of a process. */
export interface SandboxBounds {
  /** Folder below which each process gets one of its own. */
  readonly folder: string
  /** Of the database; the process as a whole gets half a gigabyte more. */
  readonly memoryBytes: number
  /** Of what is spilled to disk. */
  readonly diskBytes: number
  readonly threadCount: number
}

/**
 * Room of address space for what is not the database: V8, thread stacks, libraries, what the allocator keeps. Measured: 640 MB of
 * data when idle, 1,050 MB beside the database (600 MB resident) when a million rows become Parquet.
 */
const DATA_OVERHEAD_BYTES = 1536 * 1024 * 1024
const HEAP_MB = 256
/** A third of the share of work at normal priority: at 10, a tenth, eight busy processes left a query 3 % of a core, and 30 s did not do for a count. */
const NICENESS = 5
/** Set by the shell, where there is one, before the process begins: no core files, data and file sizes bounded, low priority. */
const LIMITED = 'ulimit -c 0; ulimit -d "$1"; ulimit -f "$2"; shift 2; exec nice -n "$@"'
const FILE_BLOCK_BYTES = 512

/**
 * The server's handle on one sandbox process. It gets no environment but the time zone, no descriptor but its three
 * pipes, and a folder of its own. Killing it is always safe.
 */
export class SandboxChild {
  /** Resolves when the process can take its first question; rejects when it never could. */
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #frames: AsyncGenerator<Frame, void>
  readonly #ended = Promise.withResolvers<void>()
  readonly #removed: Promise<void>
  #isAlive = true
  #isKilled = false
  #failure: ArusError | null = null

  constructor(bounds: SandboxBounds) {
    this.#folder = mkdtempSync(join(bounds.folder, `${process.pid}-`))
    this.#child = launch(bounds, this.#folder)
    this.#frames = decodeFrames(this.#child.stdio[3] as Readable)
    this.#child.on('error', () => this.#end())
    this.#child.on('exit', () => this.#end())
    this.#removed = this.#ended.promise.then(() => rm(this.#folder, { recursive: true, force: true }))
    this.#removed.catch(() => {})
    // A process that ends while it is being written to is told by its exit.
    this.#child.stdin?.on('error', () => {})
    this.send({ kind: 'setup', ...bounds, folder: this.#folder })
    this.ready = this.expect('ready').then(() => {})
  }

  /** False from the moment it is killed, though it may take a moment to go. */
  get isAlive(): boolean {
    return this.#isAlive && !this.#isKilled
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Resolves when its folder is gone too. */
  get removed(): Promise<void> {
    return this.#removed
  }

  send(request: SandboxRequest): void {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
  }

  /** The next piece; waits for it. Throws what the process said went wrong, or why it ended. */
  async next(): Promise<Frame> {
    const { value, done } = await this.#frames.next().catch(() => ({ value: undefined, done: true }))
    if (done || value === undefined) {
      // Why it was killed is known at once; why it ended by itself, from how it did.
      if (!this.#isKilled) await this.#ended.promise
      throw this.#failure ?? new ArusError('INTERNAL', 'The SQL process ended')
    }
    if (value.kind === 'message' && value.message.kind === 'failed') {
      const failure = new ArusError(value.message.code, value.message.message)
      // Memory that ran out may not all come back: the next query gets a process that has it.
      if (failure.code === 'QUERY_TOO_EXPENSIVE') this.kill(failure)
      throw failure
    }
    return value
  }

  /** The next piece, which must be a message of this kind. */
  async expect<K extends SandboxMessage['kind']>(kind: K): Promise<Extract<SandboxMessage, { kind: K }>> {
    const frame = await this.next()
    if (frame.kind === 'message' && frame.message.kind === kind) {
      return frame.message as Extract<SandboxMessage, { kind: K }>
    }
    throw new ArusError('INTERNAL', `The SQL process answered out of turn; expected "${kind}"`)
  }

  /** Ends the process at once. `why` is what whoever waits for it is told. */
  kill(why: ArusError): void {
    this.#failure ??= why
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    this.#child.stdio[3]?.destroy()
  }

  #end(): void {
    if (!this.#isAlive) return
    this.#isAlive = false
    this.#failure ??= new ArusError(
      'QUERY_TOO_EXPENSIVE',
      'The process that ran the query did not survive it, most likely for want of memory; read fewer rows or columns, or make the query simpler',
    )
    this.#ended.resolve()
  }
}

/** Removes the folders of processes whose server is gone without having removed them: it was killed. */
export async function removeOrphans(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isRunning(Number.parseInt(name, 10))) await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function launch({ memoryBytes, diskBytes }: SandboxBounds, folder: string): ChildProcess {
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    `--max-old-space-size=${HEAP_MB}`,
    join(import.meta.dirname, 'sandbox-process.ts'),
  ]
  const dataKb = Math.floor((memoryBytes + DATA_OVERHEAD_BYTES) / 1024)
  const fileBlocks = Math.floor(diskBytes / FILE_BLOCK_BYTES)
  const [command, args] =
    process.platform === 'win32'
      ? [node[0] ?? '', node.slice(1)]
      : ['/bin/sh', ['-c', LIMITED, 'sh', String(dataKb), String(fileBlocks), String(NICENESS), ...node]]
  return spawn(command, args, {
    cwd: folder,
    env: { TZ: 'UTC', PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  })
}
