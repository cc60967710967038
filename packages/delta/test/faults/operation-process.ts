import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A running `operation-writer.ts`, and what it has said so far. */
export class OperationProcess {
  /** Operations that were acknowledged, by their index: the table's version as it was told then. */
  readonly done = new Map<number, number>()
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #errors: Buffer[] = []
  #begun = -1
  #onLine: () => void = () => {}

  constructor(root: string, seed: number) {
    const program = join(import.meta.dirname, 'operation-writer.ts')
    this.#child = spawn(process.execPath, [program, root, String(seed)], {
      // Its start is most of a cycle: half of that goes where its modules were compiled before.
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'arus-compiled'), ...process.env, NODE_NO_WARNINGS: '1' },
    })
    this.#child.stderr!.on('data', (bytes: Buffer) => this.#errors.push(bytes))
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line))
    this.#ended = once(this.#child, 'close')
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Index of the operation that has begun last; -1 before. */
  get begun(): number {
    return this.#begun
  }

  /** Why it ended by itself, as its error output says. */
  get complaint(): string {
    return Buffer.concat(this.#errors).toString()
  }

  /** Lets it begin, with that operation. */
  go(first: number): void {
    this.#child.stdin!.write(String(first))
  }

  /** Resolves when a condition on what it has said holds, or it has ended. */
  async until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onLine = () => {
      if (condition()) resolve()
    }
    this.#onLine()
    await Promise.race([promise, this.#ended])
  }

  /** Kills it without notice; resolves when it is gone and all it said is read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #take(line: string): void {
    const [what, index, version] = line.split(' ')
    if (what === 'begun') this.#begun = Number(index)
    else this.done.set(Number(index), Number(version))
    this.#onLine()
  }
}
