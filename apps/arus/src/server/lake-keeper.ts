import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import { ArusError } from '../errors.ts'

/** What the lake's process is asked. */
export interface LakeAsk {
  readonly id: number
  readonly what: 'flush' | 'refine' | 'stop'
}

/** Its answer; 0 is the first, that it is ready. */
export interface LakeAnswer {
  readonly id: number
  readonly failure: string | null
}

const RESTART_MS = 1_000

/**
 * The server's handle on the process that keeps the lake. One that ends by itself is started again: the lake's own
 * transactions say where it goes on.
 */
export class LakeKeeper {
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  #child: ChildProcess | null = null
  #ready: Promise<void> = Promise.resolve()
  #nextId = 1
  #isStopped = false

  private constructor(settings: Settings, logger: Logger) {
    this.#settings = settings
    this.#logger = logger
  }

  /** Starts the process; its topics must exist. */
  static start(settings: Settings, logger: Logger): LakeKeeper {
    const keeper = new LakeKeeper(settings, logger)
    keeper.#launch()
    return keeper
  }

  /** Resolves when everything in the log at the time of the call is in bronze. */
  flush(): Promise<void> {
    return this.#ask('flush')
  }

  /** Resolves when silver and gold stand for what the log held at the time of the call. */
  refineNow(): Promise<void> {
    return this.#ask('refine')
  }

  /** Lets the process copy what is left, then end. */
  async stop(): Promise<void> {
    const child = this.#child
    if (this.#isStopped || child === null) return
    this.#isStopped = true
    const ended = once(child, 'exit')
    await this.#ask('stop').catch((error: unknown) =>
      this.#logger.error({ err: error }, 'the lake did not stop cleanly'),
    )
    if (child.exitCode === null) await ended
  }

  #launch(): void {
    const child = fork(join(import.meta.dirname, 'lake-process.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const ready = Promise.withResolvers<void>()
    this.#child = child
    this.#ready = ready.promise
    this.#ready.catch(() => {})
    child.on('message', ({ id, failure }: LakeAnswer) => {
      const waiting = id === 0 ? ready : this.#waiting.get(id)
      this.#waiting.delete(id)
      if (failure === null) waiting?.resolve()
      else waiting?.reject(new ArusError('INTERNAL', `The lake: ${failure}`))
    })
    child.on('exit', (code) => this.#ended(code, ready))
    child.send(this.#settings)
  }

  #ended(code: number | null, ready: PromiseWithResolvers<void>): void {
    const error = new ArusError(
      'NOT_READY',
      'The process that keeps the lake ended; it is started again. Try again in a moment',
    )
    ready.reject(error)
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
    if (this.#isStopped) return
    this.#logger.error({ code }, 'the process that keeps the lake ended; starting it again')
    setTimeout(() => {
      if (!this.#isStopped) this.#launch()
    }, RESTART_MS).unref()
  }

  async #ask(what: LakeAsk['what']): Promise<void> {
    await this.#ready
    const id = this.#nextId++
    const waiting = Promise.withResolvers<void>()
    this.#waiting.set(id, waiting)
    this.#child?.send({ id, what } satisfies LakeAsk)
    return waiting.promise
  }
}
