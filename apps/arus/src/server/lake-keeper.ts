import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import { ArusError } from '../errors.ts'
import type { ShopperNames } from '../events/shopper-names.ts'
import type { FoundShopper } from '../lake/find-shopper.ts'
import type { OnProgress, ProgressReport } from '../progress.ts'

/** What the lake's process is asked. */
export type LakeAsk = { readonly id: number } & LakeWork

export type LakeWork =
  | { readonly what: 'flush' | 'refine' | 'stop' }
  | { readonly what: 'keep'; readonly isKeeper: boolean }
  | { readonly what: 'find'; readonly shopper: string }
  | { readonly what: 'erase'; readonly names: ShopperNames }

/** What it says: how far it has come, or its answer; 0 is the first, that it is ready. */
export type LakeAnswer =
  | { readonly id: number; readonly failure: string | null; readonly found?: FoundShopper }
  | { readonly id: number; readonly progress: ProgressReport }

interface Waiting {
  readonly answer: PromiseWithResolvers<FoundShopper | undefined>
  readonly onProgress: OnProgress
}

const RESTART_MS = 1_000

/**
 * The server's handle on the process that keeps the lake. One that ends by itself is started again: the lake's own
 * transactions say where it goes on.
 */
export class LakeKeeper {
  readonly #settings: Settings
  readonly #logger: Logger
  readonly #waiting = new Map<number, Waiting>()
  #child: ChildProcess | null = null
  #ready: Promise<void> = Promise.resolve()
  #nextId = 1
  #isKeeper = true
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

  /** Whether the lake is kept up to the log by itself, or by another server of the shop; what is asked for is done all the same. */
  keep(isKeeper: boolean): void {
    if (this.#isKeeper === isKeeper || this.#isStopped) return
    this.#isKeeper = isKeeper
    // A process that ends before it hears this is told again when it is started again.
    this.#ask({ what: 'keep', isKeeper }).catch(() => {})
  }

  /** Resolves when everything in the log at the time of the call is in bronze. */
  async flush(): Promise<void> {
    await this.#ask({ what: 'flush' })
  }

  /** Resolves when silver and gold stand for what the log held at the time of the call. */
  async refineNow(): Promise<void> {
    await this.#ask({ what: 'refine' })
  }

  /** What the lake knows of a person, when all that is in the log now is in it. */
  async find(shopper: string): Promise<FoundShopper> {
    const found = await this.#ask({ what: 'find', shopper })
    if (found !== undefined) return found
    throw new ArusError('INTERNAL', 'The lake did not say what it knows of the shopper')
  }

  /** See `eraseFromLake`; copying and refining stand still meanwhile. */
  async erase(names: ShopperNames, onProgress: OnProgress): Promise<void> {
    await this.#ask({ what: 'erase', names }, onProgress)
  }

  /** Lets the process copy what is left, then end. */
  async stop(): Promise<void> {
    const child = this.#child
    if (this.#isStopped || child === null) return
    this.#isStopped = true
    const ended = once(child, 'exit')
    await this.#ask({ what: 'stop' }).catch((error: unknown) =>
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
    child.on('message', (answer: LakeAnswer) => this.#heard(answer, ready))
    child.on('exit', (code) => this.#ended(code, ready))
    child.send(this.#settings)
    if (!this.#isKeeper) this.#ask({ what: 'keep', isKeeper: false }).catch(() => {})
  }

  #heard(said: LakeAnswer, ready: PromiseWithResolvers<void>): void {
    const waiting = this.#waiting.get(said.id)
    if ('progress' in said) {
      waiting?.onProgress(said.progress)
      return
    }
    this.#waiting.delete(said.id)
    if (said.id === 0) ready.resolve()
    else if (said.failure === null) waiting?.answer.resolve(said.found)
    else waiting?.answer.reject(new ArusError('INTERNAL', `The lake: ${said.failure}`))
  }

  #ended(code: number | null, ready: PromiseWithResolvers<void>): void {
    const error = new ArusError(
      'NOT_READY',
      'The process that keeps the lake ended; it is started again. Try again in a moment',
    )
    ready.reject(error)
    for (const { answer } of this.#waiting.values()) answer.reject(error)
    this.#waiting.clear()
    if (this.#isStopped) return
    this.#logger.error({ code }, 'the process that keeps the lake ended; starting it again')
    setTimeout(() => {
      if (!this.#isStopped) this.#launch()
    }, RESTART_MS).unref()
  }

  async #ask(work: LakeWork, onProgress: OnProgress = () => {}): Promise<FoundShopper | undefined> {
    await this.#ready
    const id = this.#nextId++
    const answer = Promise.withResolvers<FoundShopper | undefined>()
    this.#waiting.set(id, { answer, onProgress })
    this.#child?.send({ id, ...work } satisfies LakeAsk)
    return answer.promise
  }
}
